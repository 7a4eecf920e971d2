import path from 'node:path';
import { z } from 'zod';
import { inputError, messageOf } from '../../core/errors';
import { isBinary, splitLines, type ByteString } from '../../core/text';
import { compareVersions, parseVersion, type KernelVersion } from '../../core/version';
import { readFileIfAny } from '../../io/files';
import type { Scratch } from '../../io/scratch';
import type { KernelTree } from '../../io/tree';
import type { Difference } from './cases';

const Outcomes = z.enum(['obsolete', 'already-upstream']);

/** `no-place.json`: hunks that have no place any more, by set; each with the release from which on, and why. */
const NoPlaceFile = z.record(
  z.string(),
  z.array(z.object({ hunk: z.string(), from: z.string(), outcome: Outcomes, why: z.string() })),
);

/** A hunk that a golden leaves out. */
export interface NoPlace {
  outcome: z.infer<typeof Outcomes>;
  why: string;
}

/** The port made by hand, `DIR/TARGET/SET.patch`: a diff against the target; null when there is none. */
export function goldenDiff(dir: string, target: string, set: string): ByteString | null {
  return readFileIfAny(path.join(dir, target, `${set}.patch`));
}

/** The hunks of a set that have no place in a kernel, as `DIR/no-place.json` says. */
export function noPlaceIn(dir: string, set: string, version: KernelVersion): Map<string, NoPlace> {
  const file = path.join(dir, 'no-place.json');
  const text = readFileIfAny(file);
  if (text === null) return new Map();
  const entries = parseJson(file, text, NoPlaceFile)[set] ?? [];
  const known = new Map<string, NoPlace>();
  for (const e of entries) {
    const from = parseVersion(e.from);
    if (!from) throw inputError(`'${file}': '${e.from}' is no kernel version`, "write it as 'v5.4'");
    if (compareVersions(version, from) >= 0) known.set(e.hunk, { outcome: e.outcome, why: e.why });
  }
  return known;
}

/** A JSON file in a given form. Throws an input error that names the file. */
export function parseJson<T>(file: string, text: ByteString, schema: z.ZodType<T>): T {
  try {
    return schema.parse(JSON.parse(Buffer.from(text, 'latin1').toString('utf8')));
  } catch (error) {
    const what = error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error);
    throw inputError(`'${file}' cannot be read: ${what}`, 'its form is in fixtures/failing/README.md');
  }
}

const AROUND = 3;

/** Where two trees differ, range by range. A binary file that differs is one range without lines. */
export async function differencesOf(port: KernelTree, golden: KernelTree, scratch: Scratch): Promise<Difference[]> {
  const paths = [...new Set([...port.paths(), ...golden.paths()])].sort();
  const changed: { path: ByteString; a: ByteString; b: ByteString; only: Difference['only'] }[] = [];
  const differences: Difference[] = [];
  for (const p of paths) {
    const [x, y] = [port.entry(p), golden.entry(p)];
    if (x?.oid === y?.oid && x?.mode === y?.mode) continue;
    const [a, b] = [(await port.read(p)) ?? '', (await golden.read(p)) ?? ''];
    const only = x ? (y ? null : 'port') : 'golden';
    if (a === b || isBinary(a) || isBinary(b)) {
      differences.push({ path: p, port: [], golden: [], around: [], line: 1, only });
    } else changed.push({ path: p, a, b, only });
  }
  const ranges = await scratch.diffFiles(changed, 'histogram');
  changed.forEach(({ path: p, a, b, only }, i) => {
    const [x, y] = [splitLines(a), splitLines(b)];
    for (const r of ranges[i]!) {
      const [endX, endY] = [r.oldStart + r.oldCount, r.newStart + r.newCount];
      differences.push({
        path: p,
        port: x.slice(r.oldStart, endX),
        golden: y.slice(r.newStart, endY),
        around: [...y.slice(Math.max(0, r.newStart - AROUND), r.newStart), ...y.slice(endY, endY + AROUND)],
        line: r.oldStart + 1,
        only,
      });
    }
  });
  return differences;
}
