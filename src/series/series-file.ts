import {
  Document,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Node,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import { z } from 'zod';
import { inputError, type KportError } from '../core/errors';
import { hunkHeader } from '../core/patch';
import { forDisplay, fromDisplay, type ByteString } from '../core/text';
import type { Change, Unit } from './change';
import type { Needs } from './needs';
import { isMet } from './plan';
import { WIDTH } from './words';

/** One patch as `series.yaml` has it. */
export interface PlanEntry {
  title: ByteString;
  body: ByteString;
  /** For reviewers: goes below `---`, not into the history. */
  note: ByteString;
  /** A commit of the branch that is kept as it is; then there are no files and hunks. */
  commit: string | null;
  files: ByteString[];
  hunks: string[];
  /** 1-based lines of the file, for messages: of the patch, and of each file and hunk. */
  line: number;
  lines: Map<string, number>;
}

export interface SeriesPlan {
  /** Where it was read; null for a plan that kport just made. */
  file: string | null;
  allow: string[];
  patches: PlanEntry[];
}

const Text = z.string().nullish();
const File = z.strictObject({
  schemaVersion: z.literal(1),
  base: Text,
  branch: Text,
  allow: z.array(z.string()).nullish(),
  patches: z
    .array(
      z.strictObject({
        title: z.string().min(1),
        body: Text,
        note: Text,
        commit: Text,
        files: z.array(z.string()).nullish(),
        hunks: z.array(z.coerce.string()).nullish(),
      }),
    )
    .min(1),
});

const HEADER = ` The plan of this series: edit it and run 'kport mail' again, which obeys it.

 Titles, bodies, notes and the order of the patches are yours. 'files' are paths or patterns (* ** ?); a hunk that a
 patch names under 'hunks' is in that patch, whatever patterns say. Every hunk has to be in exactly one patch, and
 nothing may be used before it is there; names under 'allow' are not asked for.`;

/** `series.yaml` as text. */
export function writePlan(plan: SeriesPlan, base: string, branch: string, change: Change): ByteString {
  const doc = new Document({
    schemaVersion: 1,
    base,
    branch: forDisplay(branch),
    allow: plan.allow,
    patches: plan.patches.map((p) => ({
      title: forDisplay(p.title),
      body: `${forDisplay(p.body)}\n`,
      note: forDisplay(p.note),
      ...(p.commit ? { commit: p.commit } : { files: p.files.map(forDisplay), hunks: p.hunks }),
    })),
  });
  doc.commentBefore = HEADER;
  const units = new Map(change.units.map((u) => [u.id, u]));
  for (const [i, item] of (doc.get('patches') as YAMLSeq).items.entries()) {
    const hunks = (item as YAMLMap).get('hunks');
    if (i > 0) (item as Node).spaceBefore = true;
    if (!isSeq(hunks)) continue;
    for (const node of hunks.items) {
      const unit = isScalar(node) ? units.get(String(node.value)) : undefined;
      if (unit && isScalar(node)) node.comment = ` ${forDisplay(describe(unit))}`;
    }
  }
  return fromDisplay(doc.toString({ lineWidth: 0 }));
}

/** What a unit is called in messages and comments. */
export function describe(unit: Unit): ByteString {
  if (unit.kind === 'hunk') return `${unit.path} ${hunkHeader(unit.hunk!)}`;
  const words = { new: 'new file', deleted: 'deleted', moved: 'moved', mode: 'mode', whole: 'binary file', hunk: '' };
  return `${unit.path} (${words[unit.kind]})`;
}

/** Reads `series.yaml`. Throws an input error with the line. */
export function readPlan(text: ByteString, file: string): SeriesPlan {
  const counter = new LineCounter();
  const doc = parseDocument(forDisplay(text), { lineCounter: counter });
  const lineOf = (node: unknown) => {
    const range = (node as Node | undefined)?.range;
    return range ? counter.linePos(range[0]).line : 1;
  };
  if (doc.errors.length) {
    const error = doc.errors[0]!;
    throw inputError(`${file}:${counter.linePos(error.pos[0]).line}: ${error.message.split('\n')[0]}`, AGAIN);
  }
  const parsed = File.safeParse(doc.toJS());
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    const node =
      doc.getIn(issue.path as (string | number)[], true) ?? doc.getIn(issue.path.slice(0, -1) as string[], true);
    throw inputError(`${file}:${lineOf(node)}: ${issue.path.join('.')}: ${issue.message}`, AGAIN);
  }
  const list = doc.get('patches');
  const nodes = isSeq(list) ? list.items : [];
  const patches = parsed.data.patches.map((p, i): PlanEntry => {
    const node = nodes[i];
    const lines = new Map<string, number>();
    for (const key of ['files', 'hunks', 'title'] as const) {
      const value = isMap(node) ? node.get(key, true) : undefined;
      if (isSeq(value))
        for (const item of value.items) lines.set(String((item as { value: unknown }).value), lineOf(item));
    }
    return {
      title: fromDisplay(p.title.trim()),
      body: fromDisplay((p.body ?? '').trim()),
      note: fromDisplay((p.note ?? '').trim()),
      commit: p.commit ?? null,
      files: (p.files ?? []).map(fromDisplay),
      hunks: p.hunks ?? [],
      line: lineOf(node),
      lines,
    };
  });
  return { file, allow: parsed.data.allow ?? [], patches };
}

const AGAIN = "repair the file, or remove it and run 'kport mail --plan' for a new one";

/** A path pattern as a regular expression: `*` and `?` within a name, `**` across folders. */
export function globToRegExp(glob: string): RegExp {
  const source = glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*\*\/?|\*|\?/g, (m) => (m === '?' ? '[^/]' : m === '*' ? '[^/]*' : m === '**' ? '.*' : '(?:.*/)?'));
  return new RegExp(`^${source}$`);
}

/** Files and hunks that name the given units: whole folders and files where it can, hunks where a file is shared. */
export function namesOfUnits(units: readonly Unit[], change: Change): { files: ByteString[]; hunks: string[] } {
  const mine = new Set(units);
  const whole = change.files.filter((f) => f.units.every((u) => mine.has(u)));
  const isWhole = new Set(whole.map((f) => f.path));
  const folders = new Map<string, boolean>();
  for (const f of change.files) {
    const parts = f.path.split('/');
    for (let i = 1; i < parts.length; i++) {
      const folder = parts.slice(0, i).join('/');
      folders.set(folder, (folders.get(folder) ?? true) && isWhole.has(f.path));
    }
  }
  const files = new Set<ByteString>();
  for (const f of whole) {
    const parts = f.path.split('/');
    const top = parts
      .map((_, i) => parts.slice(0, i).join('/'))
      .find((d) => d && folders.get(d) && inside(d, change) > 2);
    files.add(top === undefined ? f.path : `${top}/**`);
  }
  return { files: [...files].sort(), hunks: units.filter((u) => !isWhole.has(u.file.path)).map((u) => u.id) };
}

function inside(folder: string, change: Change): number {
  return change.files.filter((f) => f.path.startsWith(`${folder}/`)).length;
}

function place(plan: SeriesPlan, index: number, key?: string): string {
  const entry = plan.patches[index]!;
  const line = (key !== undefined && entry.lines.get(key)) || entry.line;
  return `${plan.file ?? 'the plan'}:${line}`;
}

function title(plan: SeriesPlan, index: number): string {
  return `patch ${index + 1} '${forDisplay(plan.patches[index]!.title)}'`;
}

/**
 * The units of each patch of a plan. Throws an input error, with the place, for a hunk that is in no patch or in two, for
 * a name that means nothing, and for a title that is too long.
 */
export function resolvePlan(plan: SeriesPlan, change: Change): Unit[][] {
  const byId = new Map(change.units.map((u) => [u.id, u]));
  const owner = new Map<Unit, { index: number; by: string; id: boolean }>();
  const claim = (unit: Unit, index: number, by: string, id: boolean) => {
    const before = owner.get(unit);
    if (before?.id && !id) return;
    if (before && before.index === index) return;
    if (before && before.id === id) throw doubled(plan, unit, before, index, by);
    owner.set(unit, { index, by, id });
  };
  plan.patches.forEach((p, i) => {
    if (p.title.length > WIDTH) {
      throw inputError(
        `${place(plan, i)}: the title of ${title(plan, i)} has ${p.title.length} characters, the lists take ${WIDTH}`,
        'say less in the title, more in the body',
      );
    }
    for (const id of p.hunks) {
      const unit = byId.get(id);
      if (!unit) {
        throw inputError(
          `${place(plan, i, id)}: there is no hunk '${id}' between base and branch`,
          "the branch has changed since? run 'kport mail --plan' for a new plan",
        );
      }
      claim(unit, i, id, true);
    }
  });
  plan.patches.forEach((p, i) => {
    for (const glob of p.files) {
      const pattern = globToRegExp(glob);
      const hits = change.units.filter((u) => pattern.test(u.path));
      if (hits.length === 0) {
        throw inputError(
          `${place(plan, i, glob)}: '${forDisplay(glob)}' matches no file of the series`,
          'correct the path, or remove it',
        );
      }
      for (const unit of hits) claim(unit, i, glob, false);
    }
  });
  const lost = change.units.filter((u) => !owner.has(u));
  if (lost.length) {
    throw inputError(
      `${plan.file ?? 'the plan'}: in no patch: ${forDisplay(describe(lost[0]!))}, hunk ${lost[0]!.id}` +
        (lost.length > 1 ? `, and ${lost.length - 1} more` : ''),
      ...lost.slice(0, 10).map((u) => `add '${u.id}' under 'hunks' of a patch: ${forDisplay(describe(u))}`),
    );
  }
  const patches = plan.patches.map((_, i) => change.units.filter((u) => owner.get(u)!.index === i));
  patches.forEach((units, i) => {
    if (units.length === 0)
      throw inputError(`${place(plan, i)}: ${title(plan, i)} is empty`, 'give it files or hunks, or remove it');
  });
  return patches;
}

function doubled(
  plan: SeriesPlan,
  unit: Unit,
  before: { index: number; by: string },
  index: number,
  by: string,
): KportError {
  return inputError(
    `${place(plan, index, by)}: ${forDisplay(describe(unit))}, hunk ${unit.id}, is in ${title(plan, before.index)} ` +
      `(${place(plan, before.index, before.by)}) and in ${title(plan, index)}`,
    'leave it in one of them',
  );
}

/** Throws an input error, with the place, when a patch uses what only a later one brings. */
export function assertOrder(plan: SeriesPlan, patches: readonly (readonly Unit[])[], needs: Needs): void {
  const at = new Map<Unit, number>();
  patches.forEach((units, i) => units.forEach((u) => at.set(u, i)));
  const allow = new Set(plan.allow);
  for (const { units, why } of needs.together) {
    const [first, other] = [units[0]!, units.find((u) => at.get(u) !== at.get(units[0]!))];
    if (other) {
      throw inputError(
        `${place(plan, at.get(other)!, other.id)}: ${forDisplay(describe(first))} and ${forDisplay(describe(other))} ` +
          `have to be in one patch: ${why}`,
        `put hunks ${first.id} and ${other.id} into ${title(plan, at.get(first)!)} or ${title(plan, at.get(other)!)}`,
      );
    }
  }
  for (const need of needs.needs) {
    const name = need.name.replace(/^\./, '');
    if (allow.has(name) || isMet(need, (u) => at.get(u)!)) continue;
    const user = at.get(need.user)!;
    const provider = need.providers.reduce((a, b) => (at.get(b)! < at.get(a)! ? b : a));
    const first = at.get(provider)!;
    const words = {
      include: `includes ${need.name}`,
      object: `builds '${need.name}'`,
      name: `uses '${name}'`,
      option: `offers ${need.name} before all that it switches on is there`,
      setting: `sets ${need.name}`,
    }[need.kind];
    throw inputError(
      `${place(plan, user, need.user.id)}: ${title(plan, user)} ${words} (${forDisplay(need.user.path)}:${need.line}), ` +
        `but ${forDisplay(provider.path)} comes in ${title(plan, first)} (${place(plan, first, provider.id)})`,
      `move patch ${first + 1} before patch ${user + 1}, or its hunk ${provider.id}`,
      `put '${name}' under 'allow' when it is not the same name`,
    );
  }
}
