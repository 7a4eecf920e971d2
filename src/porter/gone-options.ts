import type { Evidence } from '../core/outcome';
import { stripComments, type ByteString } from '../core/text';
import type { PortContext } from './context';
import { optionsDefined, type KconfigTree } from './inert';
import type { Placed } from './place';
import type { EditResult } from './port-edit';

/** Code with a condition of which a part is decided is at most this sure. */
const DECIDED = 0.75;

/** Options of the base that upstream took out since. */
export class GoneOptions {
  private known: Promise<[Map<string, ByteString[]>, Map<string, ByteString[]>]> | null = null;

  /**
   * @param brought options that the set defines itself, `CONFIG_` included
   * @param between the releases on the way, oldest first, with their names
   */
  constructor(
    private readonly base: KconfigTree,
    private readonly target: KconfigTree,
    private readonly brought: ReadonlySet<string>,
    private readonly between: readonly (KconfigTree & { name: string })[],
  ) {}

  /**
   * Null unless the base's Kconfig defines an option and neither the target's does nor the set; else how to say since when.
   * A tree without the file that defined it may be a part of a tree, and proves nothing.
   */
  async gone(name: string): Promise<string | null> {
    if (this.brought.has(name)) return null;
    this.known ??= Promise.all([optionsDefined(this.base), optionsDefined(this.target)]);
    const [base, target] = await this.known;
    // What is built as a module is told by a name of its own.
    const option = base.has(name) ? name : name.replace(/_MODULE$/, '');
    const files = base.get(option);
    if (!files || target.has(option) || this.brought.has(option)) return null;
    const isIn = async (tree: KconfigTree) => {
      const there = new Set(tree.paths());
      const texts = await Promise.all(files.filter((p) => there.has(p)).map((p) => tree.read(p)));
      return texts.some((text) => text !== null);
    };
    if (!(await isIn(this.target))) return null;
    for (const tree of this.between)
      if ((await isIn(tree)) && !(await optionsDefined(tree)).has(option)) return ` any more, from ${tree.name} on`;
    return ' any more';
  }
}

/** Options that a diff defines: in Kconfig files, or by a macro. */
export function optionsBrought(
  changes: Iterable<{ path: ByteString; hunks: readonly { lines: readonly ByteString[] }[] }>,
): Set<string> {
  const found = new Set<string>();
  for (const { path, hunks } of changes) {
    const pattern = /(^|\/)Kconfig[\w.-]*$/.test(path) ? /^\+\s*(?:menu)?config\s+(\w+)/ : /#\s*define\s+CONFIG_(\w+)/;
    for (const line of hunks.flatMap((h) => h.lines)) {
      const name = line.startsWith('+') ? pattern.exec(line)?.[1] : undefined;
      if (name !== undefined) found.add(`CONFIG_${name}`);
    }
  }
  return found;
}

/** A condition of the set's own that says nothing any more. */
export interface Constant {
  text: string;
  /** The whole of it is decided: what it holds is always compiled, or never. */
  whole: boolean;
}

/**
 * A set asks for an option that upstream took out: the condition is constant in the target, and nobody sees it. Where it
 * decides what is compiled the edit has to be made by hand; where it is a part of a condition, or of an expression, it is
 * said. What changes nothing in the set's own kernel does neither.
 */
export async function settleGoneOptions(results: readonly EditResult[], context: PortContext): Promise<void> {
  for (const result of results) {
    if (result.inert || result.outcome === 'already-upstream' || result.placements.length === 0) continue;
    const { segments } = result.edit;
    const removed = new Set(segments.flatMap((s) => s.removed.map((l) => l.trim())));
    const constant = await constantConditions(
      segments.flatMap((s) => s.added.filter((l) => !removed.has(l.trim()))),
      context,
    );
    const whole = constant.find((c) => c.whole);
    if (whole) takeBack(result, whole.text);
    else for (const { text } of constant) for (const p of result.placements) say(p, text);
  }
}

/** What lines of code ask for that the target's Kconfig decides. */
export async function constantConditions(
  lines: readonly ByteString[],
  context: Pick<PortContext, 'gone'>,
): Promise<Constant[]> {
  const found: Constant[] = [];
  const since = new Map<string, string>();
  const code = stripComments(lines.join(''));
  for (const name of new Set(code.match(/\bCONFIG_\w+/g) ?? [])) {
    const when = await context.gone.gone(name);
    if (when !== null) since.set(name, when);
  }
  if (since.size === 0) return found;
  const all = code.replace(/\\\n/g, '  ').split('\n');
  all.forEach((line, i) => {
    const named = [...since.keys()].filter((n) => new RegExp(`\\b${n}\\b`).test(line));
    if (named.length === 0) return;
    const noKconfig = named.map((n) => `no Kconfig file of the target defines '${n}'${since.get(n)!}`).join(', ');
    const m = /^\s*#\s*(ifdef|ifndef|if|elif)\b\s*(.*?)\s*$/.exec(line);
    if (m) {
      const said = line.trim().replace(/\s+/g, ' ');
      const truth = decide(m[1]!, m[2]!, (n) => since.has(n));
      const error =
        truth === true && /^\s*#\s*error\b/.test(all[i + 1] ?? '') ? ', and the #error behind it fires' : '';
      const text =
        truth === null
          ? `a part of '${said}' is decided: ${noKconfig}`
          : `'${said}' ${truth ? 'always' : 'never'} holds: ${noKconfig}${error}`;
      found.push({ text, whole: truth !== null });
    } else if (/\bIS_(?:ENABLED|BUILTIN|MODULE|REACHABLE)\s*\(/.test(line)) {
      found.push({ text: `what it asks for is always off: ${noKconfig}`, whole: false });
    }
  });
  return found;
}

/** Whether a condition holds when some options are never set; null when that does not decide it. */
function decide(word: string, condition: string, isGone: (name: string) => boolean): boolean | null {
  if (word === 'ifdef' || word === 'ifndef') return isGone(condition) ? word === 'ifndef' : null;
  const parts = condition.match(/\w+|&&|\|\||[!()]|[^\s\w]+/g) ?? [];
  let at = 0;
  let strange = false;
  const take = (word: string) => parts[at] === word && ++at > 0;
  const value = (): boolean | null => {
    if (take('!')) {
      const not = value();
      return not === null ? null : !not;
    }
    if (take('(')) {
      const inner = either();
      strange ||= !take(')');
      return inner;
    }
    const name = parts[at++] ?? '';
    if (!/^\w+$/.test(name)) strange = true;
    if (/^(?:defined|IS_(?:ENABLED|BUILTIN|MODULE|REACHABLE))$/.test(name)) {
      const bracket = take('(');
      const asked = parts[at++] ?? '';
      if (bracket) strange ||= !take(')');
      return isGone(asked) ? false : null;
    }
    return isGone(name) || name === '0' ? false : name === '1' ? true : null;
  };
  const both = (): boolean | null => {
    let held = value();
    while (take('&&')) {
      const other = value();
      held = held === false || other === false ? false : held === null || other === null ? null : true;
    }
    return held;
  };
  const either = (): boolean | null => {
    let held = both();
    while (take('||')) {
      const other = both();
      held = held === true || other === true ? true : held === null || other === null ? null : false;
    }
    return held;
  };
  const held = either();
  return strange || at < parts.length ? null : held;
}

function takeBack(result: EditResult, reason: string): void {
  const { file, segments, definition, evidence } = result.placements[0]!;
  const kept: Evidence[] = evidence.filter((e) => e.kind !== 'doubt');
  result.failure = {
    placed: false,
    reason,
    evidence: kept,
    candidate: { path: file.path, line: segments[0]!.site.at + 1, definition },
  };
  result.placements = [];
  result.outcome = 'conflict';
}

function say(p: Placed, text: string): void {
  p.confidence = Math.min(p.confidence, DECIDED);
  if (!p.evidence.some((e) => e.text === text)) p.evidence.push({ kind: 'doubt', text });
}
