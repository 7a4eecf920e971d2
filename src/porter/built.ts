import type { ByteString } from '../core/text';
import { languageOf } from '../kernel-index/language';
import { includeCandidates } from '../kernel-index/scope';
import type { View } from './view';

/** Options that are known to be on, or off. */
export interface Chosen {
  on: ReadonlySet<string>;
  off: ReadonlySet<string>;
}

/**
 * Which files of a tree are compiled with some options on and others off. What the Makefiles say of an object decides; an object of which
 * none of those at hand says anything counts as built, and so does every option that is not asked about.
 */
export class Built {
  /** Objects by stem; `said` holds all that a rule mentions, `made` those whose rule holds. */
  private rules: { made: Set<string>; said: Set<string> } | null = null;
  private includers: Map<string, ByteString[]> | null = null;
  private readonly answers = new Map<ByteString, boolean>();

  constructor(
    private readonly view: View,
    private readonly options: Chosen,
  ) {}

  /** True for a source that is compiled, and for a header that such a source includes. */
  async has(path: ByteString): Promise<boolean> {
    const known = this.answers.get(path);
    if (known !== undefined) return known;
    // Headers may include each other.
    this.answers.set(path, false);
    const answer = path.endsWith('.h') ? await this.hasHeader(path) : await this.hasObject(path);
    this.answers.set(path, answer);
    return answer;
  }

  private async hasHeader(path: ByteString): Promise<boolean> {
    this.includers ??= await this.readIncludes();
    const users = this.includers.get(path.slice(path.lastIndexOf('/') + 1)) ?? [];
    for (const user of users) {
      const file = await this.view.file(user);
      const includes = file?.index.includes.some(
        (i) => path.endsWith(`/${i.path}`) || includeCandidates(user, i.path, i.system).includes(path),
      );
      if (includes && (await this.has(user))) return true;
    }
    return false;
  }

  private async hasObject(path: ByteString): Promise<boolean> {
    this.rules ??= await this.readRules();
    const stem = path.replace(/\.[cS]$/, '');
    const among = (stems: ReadonlySet<string>) =>
      stems.has(stem) || [...stems].some((s) => s.startsWith('*/') && stem.endsWith(s.slice(1)));
    return among(this.rules.made) || !among(this.rules.said);
  }

  /** Files at hand, with those that were laid over them. */
  private paths(): ByteString[] {
    const laid = [...this.view.changes().keys()];
    return [...new Set([...this.view.kernel.files().map((f) => f.path), ...laid])].filter((p) => this.view.has(p));
  }

  /** The files that include a header, by the last part of its name. */
  private async readIncludes(): Promise<Map<string, ByteString[]>> {
    const found = new Map<string, ByteString[]>();
    for (const path of this.paths().filter((p) => /\.[chS]$/.test(p))) {
      for (const { path: name } of (await this.view.file(path))?.index.includes ?? []) {
        const last = name.slice(name.lastIndexOf('/') + 1);
        found.set(last, [...(found.get(last) ?? []), path]);
      }
    }
    return found;
  }

  private async readRules() {
    const rules = { made: new Set<string>(), said: new Set<string>() };
    for (const path of this.paths().filter((p) => languageOf(p) === 'kbuild')) {
      const folder = path.slice(0, path.lastIndexOf('/') + 1);
      for (const d of (await this.view.file(path))?.index.definitions ?? []) {
        if (d.kind !== 'object-rule' || /-n?$/.test(d.name)) continue;
        const off = [...this.options.off].some((o) => d.name.includes(`$(${o})`));
        const holds = !off && d.guards.every((guard) => this.holds(guard));
        for (const { name } of d.members) {
          if (!name.endsWith('.o')) continue;
          const stem = resolved(folder, name.slice(0, -2));
          rules.said.add(stem);
          if (holds) rules.made.add(stem);
        }
      }
    }
    return rules;
  }

  /** True for a condition that holds with these options, and for one that asks for something else. */
  private holds(guard: string): boolean {
    const not = /^!\(([^]*)\)$/.exec(guard);
    const asked = not ? not[1]! : guard;
    const { on, off } = this.options;
    const option = [...on, ...off].find((o) => new RegExp(`\\b${o}\\b`).test(asked));
    if (option === undefined) return true;
    const [, word, value] = /^(ifeq|ifneq|ifdef|ifndef)\b[^]*?,?\s*['"]?(\w*)['"]?\s*\)?$/.exec(asked) ?? [];
    const asksOn = word === 'ifdef' || word === (value === 'y' || value === 'm' ? 'ifeq' : 'ifneq');
    return (asksOn === on.has(option)) !== (not !== null);
  }
}

/** The stem of an object as a path of the tree; behind a variable of the Makefile it is a `*` and the last parts. */
function resolved(folder: ByteString, name: string): string {
  const variable = /^\$\([^()]*\)\/(.*)$/.exec(name);
  if (variable) return `*/${variable[1]!}`;
  const parts: string[] = [];
  for (const part of (folder + name).split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}
