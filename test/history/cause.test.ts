import { crossCheck } from '../../src/history';
import { port, type Texts } from '../porter/harness';

const FILE = 'arch/arm64/kvm/run.c';
const HEAD = '#include <linux/kvm.h>\n\n';

/** A function with a line of its own for each word. */
const fn = (name: string, words: readonly string[]) =>
  `int ${name}(struct vcpu *v)\n{\n\tint ret = 0;\n\n${words.map((w) => `\tret += ${name}_${w}(v, ${w}_state);\n`).join('')}\treturn ret;\n}\n`;

const RUN = ['prepare', 'enter', 'leave', 'account'];
const base: Texts = { [FILE]: `${HEAD}${fn('run', RUN)}\n${fn('stop', ['halt', 'notify'])}\n${fn('reset', RUN)}` };

/** A guard around one line of a file, with something else or nothing in its place. */
const guard = (text: string, line: string, instead = '') =>
  text.replace(line, `#ifndef CONFIG_CORE\n${line}${instead && `#else\n${instead}`}#endif\n`);

const ENTER = '\tret += run_enter(v, enter_state);\n';
const without = (text: string, line: string) => text.replace(line, '');

describe('which release broke a hunk', () => {
  it('is the first one without the line that a guard replaced', async () => {
    const patched = { [FILE]: guard(base[FILE]!, ENTER, '\tret += core_enter(v->id);\n') };
    const gone = without(base[FILE]!, ENTER);
    const later = gone.replace(HEAD, `${HEAD}int later;\n\n`);
    const { hunks } = await port(base, patched, { [FILE]: later }, [], {
      between: { 'v5.2': {}, 'v5.4': {}, 'v5.6': { [FILE]: gone }, 'v5.8': { [FILE]: gone } },
    });
    expect(hunks[0]!.outcome).toBe('conflict');
    expect(hunks[0]!.causedBy).toEqual({
      release: 'v5.6',
      commit: null,
      text: `the line 'ret += run_enter(v, enter_state);' left 'run' (${FILE}) between v5.4 and v5.6`,
    });
  });

  it('is the one after which it never came back', async () => {
    const patched = { [FILE]: guard(base[FILE]!, ENTER, '\tret += core_enter(v->id);\n') };
    const gone = { [FILE]: without(base[FILE]!, ENTER) };
    const { hunks } = await port(base, patched, gone, [], {
      between: { 'v5.2': gone, 'v5.3': {}, 'v5.4': gone, 'v5.5': gone },
    });
    expect(hunks[0]!.causedBy?.release).toBe('v5.4');
    expect(hunks[0]!.causedBy?.text).toMatch(/ in v5\.4$/);
  });

  it('is named for each obsolete hunk, and with it the later end of the definition', async () => {
    const halt = '\tret += stop_halt(v, halt_state);\n';
    const patched = { [FILE]: guard(base[FILE]!, halt) };
    const gone = without(base[FILE]!, halt);
    const all = `${HEAD}${fn('run', RUN)}\n${fn('reset', RUN)}`;
    const { hunks } = await port(base, patched, { [FILE]: all }, [], {
      between: { 'v5.6': {}, 'v5.7': { [FILE]: gone }, 'v5.8': { [FILE]: gone }, 'v5.9': { [FILE]: all } },
    });
    expect(hunks[0]!.outcome).toBe('obsolete');
    expect(hunks[0]!.causedBy?.release).toBe('v5.7');
    expect(hunks[0]!.causedBy?.text).toBe(
      `the code that is guarded out ('ret += stop_halt(v, halt_state);') left 'stop' (${FILE}) in v5.7; 'stop' itself left in v5.9`,
    );
  });

  it('is the one in which all that a guard held came to be used, and the same at every later target', async () => {
    const helper = 'static int flush(struct vcpu *v)\n{\n\treturn flush_all(v);\n}\n\n';
    const user = (...body: string[]) =>
      `int run(struct vcpu *v)\n{\n\tint ret = 0;\n\n${body.join('')}\treturn ret;\n}\n`;
    const old = '\tret = start_all(v, ret);\n';
    const before = HEAD + helper + user(old);
    const patched = `${HEAD}#ifndef CONFIG_CORE\n${helper}#endif\n${user(old)}`;
    const hoisted = HEAD + helper + user('\tret = flush(v);\n', '\tret |= start_all(v, ret);\n');
    const later = hoisted.replace(HEAD, `${HEAD}int later;\n\n`);
    const between = { 'v5.4': {}, 'v5.5': { [FILE]: hoisted }, 'v5.8': { [FILE]: hoisted }, 'v5.9': { [FILE]: later } };
    for (const upstream of [hoisted, later]) {
      const { hunks } = await port({ [FILE]: before }, { [FILE]: patched }, { [FILE]: upstream }, [], { between });
      const [hunk] = hunks.filter((h) => h.outcome === 'obsolete');
      expect(hunk?.message).toContain('the guard has nothing left to do');
      expect(hunk?.evidence.map((e) => e.kind)).toContain('used-unguarded');
      expect(hunk?.causedBy).toMatchObject({
        release: 'v5.5',
        text: "the line 'ret = flush(v);' came to 'run' in v5.5, where the set guards nothing",
      });
    }
  });

  it('is the move of a file for what followed it', async () => {
    const patched = { [FILE]: base[FILE]!.replace(ENTER, `${ENTER}\tcore_note(v);\n`) };
    const moved = 'arch/arm64/kvm/hyp/run.c';
    const { hunks } = await port(base, patched, { [moved]: base[FILE]! }, [FILE], {
      between: { 'v5.7': {}, 'v5.8': { [FILE]: '', [moved]: base[FILE]! } },
    });
    expect(hunks[0]!.outcome).toBe('relocated');
    expect(hunks[0]!.causedBy?.release).toBe('v5.8');
    expect(hunks[0]!.causedBy?.text).toBe(`${FILE} moved to ${moved} in v5.8`);
  });

  it('is the change of the surroundings for a merge, and nothing for what is simply applied', async () => {
    const patched = {
      [FILE]: base[FILE]!.replace(ENTER, `${ENTER}\tcore_note(v);\n`).replace(
        '\tret += reset_account(v, account_state);\n',
        '\tret += reset_account(v, account_state);\n\tcore_forget(v);\n',
      ),
    };
    const near = base[FILE]!.replace('run_account(v, account_state)', 'run_account(v, account_state, 1)');
    const { hunks } = await port(base, patched, { [FILE]: near }, [], {
      between: { 'v5.4': {}, 'v5.5': { [FILE]: near } },
    });
    expect(hunks.map((h) => [h.outcome, h.causedBy?.release])).toEqual([
      ['merged', 'v5.5'],
      ['applied', undefined],
    ]);
  });

  it('is the target when the repository has nothing between', async () => {
    const patched = { [FILE]: guard(base[FILE]!, ENTER, '\tret += core_enter(v->id);\n') };
    const { hunks } = await port(base, patched, { [FILE]: without(base[FILE]!, ENTER) }, [], { between: {} });
    expect(hunks[0]!.causedBy).toMatchObject({ release: 'v5.10', commit: null });
    expect(hunks[0]!.causedBy?.text).toContain('between v4.18 and v5.10');
  });

  it('is a macro of the same name that upstream has gained', async () => {
    const header = 'arch/arm64/include/asm/kvm_flags.h';
    const flags = '#define FLAG_A 1\n#define FLAG_B 2\n';
    const patched = { [header]: `${flags}#define FLAG_HOST (FLAG_A | FLAG_B)\n` };
    const own = { [header]: `${flags}#define FLAG_HOST 8\n` };
    const { hunks } = await port({ ...base, [header]: flags }, patched, own, [], {
      between: { 'v4.20': {}, 'v5.0': own },
    });
    expect(hunks[0]!.outcome).toBe('rewritten');
    expect(hunks[0]!.causedBy?.text).toBe(`upstream gave ${header} a 'FLAG_HOST' of its own in v5.0`);
  });
});

describe('a port by way of the releases', () => {
  it('says where a hunk stopped being placed, and that the other places are the same both ways', async () => {
    const patched = {
      [FILE]: guard(base[FILE]!, ENTER, '\tret += core_enter(v->id);\n').replace(
        '\tret += reset_account(v, account_state);\n',
        '\tret += reset_account(v, account_state);\n\tcore_forget(v);\n',
      ),
    };
    const gone = without(base[FILE]!, ENTER);
    const { hunks, notes } = await port(base, patched, { [FILE]: gone }, [], {
      between: { 'v5.4': {}, 'v5.6': { [FILE]: gone } },
      stepwise: true,
    });
    const said = hunks.map((h) => h.evidence.find((e) => e.kind === 'stepwise')?.text);
    expect(said).toEqual(['placed up to v5.4, not from v5.6 on', 'placed in every release on the way']);
    expect(hunks[1]!.evidence.some((e) => e.kind === 'stepwise-differs')).toBe(false);
    expect(notes).toEqual(['stepwise, by v5.4, v5.6: 1 of 1 places are the same both ways']);
  });

  it('takes the certainty from a place to which the way does not lead, and says so', async () => {
    const patched = { [FILE]: base[FILE]!.replace(ENTER, `${ENTER}\tcore_note(v);\n`) };
    const near = { [FILE]: base[FILE]!.replace(HEAD, `${HEAD}int early;\n\n`) };
    const ports = async () => [await port(base, patched, near), await port(base, patched, {})] as const;
    const [direct, step] = await ports();
    expect(crossCheck(direct.patches, [{ name: 'v5.6', patches: step.patches }])[0]).toContain('1 of 1 places');
    expect(direct.hunks[0]!.confidence).toBeGreaterThan(0.9);

    const [wrong, again] = await ports();
    // As if the direct port had taken the twin of the function, far below.
    const { site } = wrong.patches[0]!.traces[0]!.placements[0]!.segments[0]!;
    site.at = near[FILE].split('\n').indexOf('\tret += reset_enter(v, enter_state);') + 1;
    expect(crossCheck(wrong.patches, [{ name: 'v5.6', patches: again.patches }])[0]).toContain('0 of 1 places');
    const said = wrong.hunks[0]!.evidence.filter((e) => e.kind === 'stepwise-differs').map((e) => e.text);
    expect(said).toEqual([`by way of v5.6 it would be in 'run' (${FILE}), not at ${FILE}:${site.at + 1}`]);
    expect(wrong.hunks[0]!.confidence).toBe(0.89);
    expect(wrong.hunks[0]!.edits[0]!.confidence).toBe(0.89);
    expect(wrong.hunks[0]!.outcome).toBe(direct.hunks[0]!.outcome);
  });

  it('says when there is nothing on the way', async () => {
    const { notes } = await port(base, { [FILE]: `${base[FILE]}\nint core;\n` }, {}, [], {
      between: {},
      stepwise: true,
    });
    expect(notes).toEqual(['stepwise: the repository has no release between the two kernels']);
  });
});
