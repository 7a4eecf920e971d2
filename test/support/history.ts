import { fn, kernelRepo, makefile } from './kernel';
import { seeded, type Content, type Files, type Repo, type Sandbox } from './sandbox';

type Random = ReturnType<typeof seeded>;
type State = Map<string, Content>;

const TEXT = 'word\nanother\n\nsame\nsame\nsame\nlast\n';

/** Files of every kind that a patch may touch. */
function zoo(): Files {
  const binary = Buffer.from(Array.from({ length: 600 }, (_, i) => (i * 37) % 256));
  return {
    'tools/binary.bin': binary,
    'tools/other.bin': Buffer.concat([binary, Buffer.from('\0tail')]),
    'tools/crlf.txt': TEXT.repeat(4).replace(/\n/g, '\r\n'),
    'tools/mixed.txt': `${TEXT}${TEXT.replace(/\n/g, '\r\n')}${TEXT}`,
    'tools/no-newline.txt': `${TEXT.repeat(3)}end without`,
    'tools/latin1.txt': `J\xfcrgen\n${TEXT}\xe4\xf6\xfc\n`,
    'tools/long.txt': Array.from({ length: 120 }, (_, i) => `line ${i}\n`).join(''),
    'tools/twins.txt': 'a\nb\nc\n'.repeat(15),
    'tools/empty': '',
    'tools/link': { link: 'long.txt' },
    'tools/run': { exec: '#!/bin/sh\nexit 0\n' },
    'odd names/with blank.c': `#include <x.h>\n\n${fn('blank', ['one', 'two'])}`,
    'odd names/qu"o\\te.txt': TEXT,
    'odd names/\xc3\xbcmlaut.txt': TEXT,
    'odd names/tab\there.txt': TEXT,
    'a/b.txt': TEXT,
    'b/a.txt': `${TEXT}b\n`,
    'lib/one.c': `#include <x.h>\n\n${fn('one', ['a', 'b'])}\n${fn('two', ['c'])}\n#define M(x) \\\n\t(x)\n`,
    'lib/asm.S': '\t.text\nENTRY(start)\n\tmov\tx0, #1\n\tret\nENDPROC(start)\n',
  };
}

const isText = (c: Content | undefined): c is string => typeof c === 'string';

function editText(text: string, random: Random): string {
  const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const edits = 1 + random.below(3);
  for (let i = 0; i < edits; i++) {
    const at = random.below(lines.length + 1);
    const eol = random.pick(lines.length ? lines : ['\n']).endsWith('\r\n') && random.chance(0.8) ? '\r\n' : '\n';
    const fresh = `\tedit(${random.below(100)});${eol}`;
    switch (random.below(5)) {
      case 0:
        lines.splice(at, random.below(4));
        break;
      case 1:
        lines.splice(at, 0, fresh, random.pick(['\n', '}\n', '\treturn 0;\n', '#endif\n', '#if X\n', 'same\n']));
        break;
      case 2:
        lines.splice(at, 1, fresh);
        break;
      case 3:
        lines.splice(at, 0, ...Array.from({ length: 1 + random.below(4) }, () => fresh));
        break;
      default:
        lines.splice(at, 0, `#ifdef CONFIG_VERIFIED_KVM\n`, fresh, `#endif\n`);
    }
  }
  // A line in the middle cannot lack its end.
  let out = lines.map((l, i) => (i < lines.length - 1 && !l.endsWith('\n') ? `${l}\n` : l)).join('');
  if (random.chance(0.15)) out = out.endsWith('\n') ? out.slice(0, -1).replace(/\r$/, '') : `${out}\n`;
  if (random.chance(0.05)) out = out.includes('\r\n') ? out.replace(/\r\n/g, '\n') : out.replace(/\n/g, '\r\n');
  return out;
}

/** One random thing that a patch may do. */
function mutate(state: State, random: Random, serial: number): void {
  const paths = [...state.keys()].filter((p) => p !== 'Makefile').sort();
  const path = random.pick(paths);
  const content = state.get(path)!;
  const free = () =>
    `${random.pick(['lib', 'tools', 'new/deep/er', 'odd names'])}/${random.pick(['f', 'x y', 'z\xc3\xa9'])}${serial}.c`;
  switch (random.below(12)) {
    case 0:
      state.set(
        free(),
        random.pick<Content>([
          fn(`fresh${serial}`, ['x']),
          '',
          'no newline',
          Buffer.from([0, 1, 2, serial & 255]),
          { link: '../x' },
          { exec: '#!/bin/sh\n' },
        ]),
      );
      return;
    case 1:
      state.delete(path);
      return;
    case 2:
      state.delete(path);
      state.set(free(), isText(content) && random.chance(0.5) ? editText(content, random) : content);
      return;
    case 3:
      state.set(free(), isText(content) && random.chance(0.5) ? editText(content, random) : content);
      return;
    case 4:
      if (isText(content)) state.set(path, { exec: content });
      else if (typeof content === 'object' && 'exec' in content) state.set(path, content.exec);
      else if (Buffer.isBuffer(content)) state.set(path, Buffer.concat([content, Buffer.from([serial & 255])]));
      else state.set(path, { link: `elsewhere${serial}` });
      return;
    case 5:
      if (random.chance(0.3)) state.set(path, isText(content) ? { link: 'long.txt' } : 'a file now\n');
      return;
    default:
      if (isText(content)) state.set(path, editText(content, random));
      else if (typeof content === 'object' && 'exec' in content)
        state.set(path, { exec: editText(content.exec, random) });
      else if (Buffer.isBuffer(content)) state.set(path, Buffer.concat([Buffer.from([random.below(256)]), content]));
  }
}

/**
 * A repository with a kernel `v4.18`, a branch `set` of random patches on it, and, when asked for, a `v5.4` in which
 * upstream did random things, too. The same for the same seed.
 */
export function randomHistory(box: Sandbox, name: string, seed: number, upstream = false): Repo {
  const random = seeded(seed);
  const repo = kernelRepo(box, name, 'v4.18', zoo());
  const state: State = new Map();
  for (const p of repo.git(['ls-files', '-z']).split('\0').filter(Boolean)) state.set(p, contentOf(repo, p));
  if (upstream) {
    const theirs = new Map(state);
    for (let n = 25; n > 0; n--) mutate(theirs, random, 9000 + n);
    repo.commit('Linux 5.4\n', { ...difference(state, theirs), Makefile: makefile('v5.4') });
    repo.tag('v5.4');
  }
  repo.git(['checkout', '-q', '-b', 'set', 'v4.18']);
  const patches = 1 + random.below(4);
  for (let i = 0; i < patches; i++) {
    const before = new Map(state);
    for (let n = 1 + random.below(6); n > 0; n--) mutate(state, random, i * 100 + n);
    const message = random.pick([
      'subject: words\n',
      'a: b\n\nBody \xc3\xbc.\n\n-- \nno signature\n',
      'x: y\n\n  diff --git a/x b/x\n\nSigned-off-by: A <a@b.c>\n',
    ]);
    repo.commit(message, difference(before, state), { GIT_AUTHOR_DATE: `${1600000000 + i} +0100` });
  }
  return repo;
}

function difference(before: State, after: State): Files {
  const files: Files = {};
  for (const p of before.keys()) if (!after.has(p)) files[p] = null;
  for (const [p, c] of after) if (before.get(p) !== c) files[p] = c;
  return files;
}

function contentOf(repo: Repo, p: string): Content {
  const [mode] = repo
    .git(['ls-files', '-s', '-z', '--', `:(literal)${Buffer.from(p, 'latin1').toString('utf8')}`])
    .split(' ');
  const text = repo.git(['cat-file', 'blob', `:${Buffer.from(p, 'latin1').toString('utf8')}`]);
  if (mode === '120000') return { link: text };
  if (mode === '100755') return { exec: text };
  return text.includes('\0') ? Buffer.from(text, 'latin1') : text;
}
