import type { Judged } from './cases';
import { VERDICTS, type Verdict } from './judge';

/** From this confidence on a placement must be right. */
export const SURE = 0.9;

export const BANDS: [string, (confidence: number) => boolean][] = [
  ['>= 0.95', (c) => c >= 0.95],
  ['0.9-0.95', (c) => c >= 0.9 && c < 0.95],
  ['0.75-0.9', (c) => c >= 0.75 && c < 0.9],
  ['0.5-0.75', (c) => c >= 0.5 && c < 0.75],
  ['not placed', (c) => c < 0.5],
];

/** What became of the edits, by mutation and by confidence, and which words are out of date in what was placed. */
export function tableOf(judged: readonly Judged[]): string {
  const mutations = [...new Set(judged.map((j) => j.mutation))];
  const rows: [string, readonly Judged[]][] = [
    ...mutations.map((m): [string, Judged[]] => [m, judged.filter((j) => j.mutation === m)]),
    ...BANDS.map(([band, holds]): [string, Judged[]] => [band, judged.filter((j) => holds(j.confidence))]),
    ['all', judged],
  ];
  const cell = (of: readonly Judged[], verdict: Verdict) => {
    const n = of.filter((j) => j.verdict === verdict).length;
    return n === 0 ? '-' : `${n} (${((100 * n) / of.length).toFixed(1)} %)`;
  };
  const head = ['', 'edits', ...VERDICTS];
  const body = rows.map(([name, of]) => [name, `${of.length}`, ...VERDICTS.map((v) => cell(of, v))]);
  const width = head.map((_, i) => Math.max(...[head, ...body].map((r) => r[i]!.length)));
  return [head, ...body]
    .map((r) => r.map((c, i) => (i === 0 ? c.padEnd(width[i]!) : c.padStart(width[i]!))).join('  '))
    .join('\n');
}
