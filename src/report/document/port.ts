import { OUTCOMES, PLACED, type Evidence, type HunkReport } from '../../core/outcome';
import type { PortReport } from '../../core/report';
import { forDisplay } from '../../core/text';
import { benchRows, placeOf } from '../bench/html';
import { plotsOf } from '../bench/plot';
import { causeText } from '../port/cause';
import type { BenchReport } from '../schema/bench';
import type { CheckReport } from '../schema/check';
import type { Block } from './blocks';

/** A port as a document: what it was, what upstream had changed and why that mattered, what is open, what was measured. */
export function portDocument(report: PortReport, check: CheckReport | null, bench: BenchReport | null): Block[] {
  return [
    { kind: 'heading', level: 1, text: `Port of ${report.set} to ${report.target.version}` },
    ...setAndKernels(report),
    ...numbers(report),
    ...upstream(report),
    ...openPoints(report),
    ...workItems(report),
    ...checks(check),
    ...measurements(bench),
    ...filesOf(report),
  ];
}

const percent = (n: number, of: number) => (of ? `${((100 * n) / of).toFixed(1)} %` : '-');
const hunkWord = (n: number) => `${n} ${n === 1 ? 'hunk' : 'hunks'}`;

function setAndKernels(report: PortReport): Block[] {
  const rows = [
    ['patch set', report.set],
    ['written for', `${report.base.version}${report.base.commit ? ` (${report.base.commit.slice(0, 12)})` : ''}`],
    [
      'ported to',
      `${report.target.version}, ${report.target.name}${report.target.commit ? ` (${report.target.commit.slice(0, 12)})` : ''}`,
    ],
    ['option', report.option ?? 'none'],
    [
      'result',
      report.result
        ? `${report.result.branch ?? report.result.out ?? ''}, tree ${report.result.treeId.slice(0, 12)}`
        : 'dry run',
    ],
  ];
  return [{ kind: 'table', head: ['', ''], rows, widths: [1, 4] }];
}

function numbers(report: PortReport): Block[] {
  const { summary: s } = report;
  const used = OUTCOMES.filter((o) => s.byOutcome[o]);
  const files = Object.entries(s.files)
    .filter(([, n]) => n)
    .map(([what, n]) => `${n} ${what}`);
  return [
    { kind: 'heading', level: 2, text: 'Numbers' },
    {
      kind: 'paragraph',
      text: `${s.placed} of ${s.hunks} hunks in existing files are placed (${percent(s.placed, s.hunks)}). Files: ${files.join(', ')}.`,
    },
    {
      kind: 'table',
      head: ['outcome', 'hunks', 'share', 'least confidence'],
      rows: used.map((o) => {
        const least = Math.min(...report.hunks.filter((h) => h.outcome === o).map((h) => h.confidence));
        return [o, String(s.byOutcome[o]), percent(s.byOutcome[o], s.hunks), PLACED.has(o) ? least.toFixed(2) : '-'];
      }),
      widths: [3, 1, 1, 2],
      right: [1, 2, 3],
    },
  ];
}

/** The part of the kernel that a file belongs to, as people call it. */
export function subsystemOf(path: string): string {
  const known: [RegExp, string][] = [
    [/^(virt\/kvm|arch\/[^/]+\/kvm)\/.*vgic|^include\/kvm\/arm_vgic/, 'KVM: interrupt controller'],
    [/^arch\/[^/]+\/kvm\/hyp/, 'KVM: code at EL2'],
    [/^(virt\/kvm|arch\/[^/]+\/kvm)\/|^include\/(linux|kvm|uapi\/linux)\/.*kvm|^arch\/[^/]+\/include\/.*kvm/, 'KVM'],
    [/^arch\/[^/]+\/include\//, 'architecture: headers'],
    [/^arch\/[^/]+\/mm\/|^mm\//, 'memory management'],
    [/^arch\/[^/]+\/kernel\//, 'architecture: start and exceptions'],
    [/^drivers\/iommu\//, 'IOMMU'],
    [/^drivers\/vfio\//, 'VFIO'],
  ];
  const found = known.find(([match]) => match.test(path));
  if (found) return found[1];
  const parts = path.split('/');
  return parts.length > 1 ? parts.slice(0, Math.min(2, parts.length - 1)).join('/') : 'top of the tree';
}

/** What changed upstream, as far as it touched the set: from the places of its hunks before and after, and the causes. */
function upstream(report: PortReport): Block[] {
  const groups = new Map<string, HunkReport[]>();
  for (const h of report.hunks) {
    const name = subsystemOf(h.path);
    groups.set(name, [...(groups.get(name) ?? []), h]);
  }
  const blocks: Block[] = [
    { kind: 'heading', level: 2, text: 'What changed upstream, and why it mattered' },
    {
      kind: 'paragraph',
      text:
        `Between ${report.base.version} and ${report.target.version}, by subsystem, as far as it touched the set. ` +
        'A hunk that followed a move was placed there; one that is left needs a person.',
    },
  ];
  for (const [name, hunks] of [...groups].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const placed = hunks.filter((h) => PLACED.has(h.outcome)).length;
    blocks.push({ kind: 'heading', level: 3, text: `${name} (${placed} of ${hunkWord(hunks.length)} placed)` });
    const items = [...moves(hunks), ...causes(hunks)];
    if (items.length) blocks.push({ kind: 'list', items });
    else blocks.push({ kind: 'paragraph', text: 'Nothing that stood in the way of a hunk.' });
  }
  return blocks;
}

function moves(hunks: readonly HunkReport[]): string[] {
  const files = new Map<string, number>();
  const symbols = new Map<string, number>();
  const count = (map: Map<string, number>, key: string) => map.set(key, (map.get(key) ?? 0) + 1);
  for (const h of hunks.filter((x) => PLACED.has(x.outcome))) {
    for (const path of new Set(h.target.map((t) => t.path))) {
      if (path !== h.path) count(files, `${h.path} is in ${path} now`);
    }
    for (const text of new Set(h.evidence.flatMap(changedSymbol))) count(symbols, text);
  }
  return [...[...files].sort(), ...[...symbols].sort()].map(
    ([text, n]) => `${forDisplay(text)}: ${hunkWord(n)} followed`,
  );
}

/** What the symbol map says of a definition that is another one now; a mere move shows in its file. */
function changedSymbol(e: Evidence): string[] {
  const how: Record<string, string> = {
    'symbol-renamed': 'renamed',
    'symbol-split': 'split',
    'symbol-merged': 'merged',
    'symbol-resigned': 'other parameters or annotations',
  };
  const words = how[e.kind];
  return words ? [`${e.text} (${words})`] : [];
}

function causes(hunks: readonly HunkReport[]): string[] {
  const found = new Map<string, HunkReport[]>();
  for (const h of hunks) {
    const c = h.causedBy;
    const text = c ? causeText(c) : PLACED.has(h.outcome) ? null : (h.message ?? h.outcome);
    if (text !== null) found.set(text, [...(found.get(text) ?? []), h]);
  }
  return [...found].map(([text, list]) => {
    const of = (word: string, is: (h: HunkReport) => boolean) => {
      const n = list.filter(is).length;
      return n ? [`${hunkWord(n)} ${word}`] : [];
    };
    const ends = [
      ...of('followed', (h) => PLACED.has(h.outcome)),
      ...of('obsolete', (h) => h.outcome === 'obsolete'),
      ...of('left', (h) => h.outcome === 'conflict'),
    ];
    return `${forDisplay(text)}: ${ends.join(', ')}`;
  });
}

function openPoints(report: PortReport): Block[] {
  const all = report.hunks.filter((h) => !PLACED.has(h.outcome));
  const grouped = new Set((report.workItems ?? []).flatMap((item) => item.hunks));
  const left = all.filter((h) => h.outcome !== 'conflict' || !grouped.has(h.id));
  const files = report.files.filter((f) => f.outcome === 'unreadable' || (f.outcome === 'conflict' && f.hunks === 0));
  const blocks: Block[] = [{ kind: 'heading', level: 2, text: 'Open points' }];
  if (all.length + files.length === 0) return [...blocks, { kind: 'paragraph', text: 'None.' }];
  if (left.length < all.length) {
    const n = all.length - left.length;
    blocks.push({ kind: 'paragraph', text: `${hunkWord(n)} of what is left stand under the work items below.` });
  }
  if (left.length + files.length === 0) return [...blocks, { kind: 'paragraph', text: 'Nothing besides.' }];
  const rows = left.map((h) => [
    h.id,
    `${forDisplay(h.path)}:${h.source.line}`,
    `${h.outcome}: ${forDisplay(h.message ?? '')}`,
  ]);
  rows.push(...files.map((f) => ['', forDisplay(f.path), `${f.outcome}: ${f.message ?? ''}`]));
  return [...blocks, { kind: 'table', head: ['hunk', 'place in the base', 'what is left'], rows, widths: [2, 5, 6] }];
}

/** The conflicts by mechanism, with what has the work now. */
function workItems(report: PortReport): Block[] {
  const items = report.workItems ?? [];
  if (items.length === 0) return [];
  const byId = new Map(report.hunks.map((h) => [h.id, h]));
  const rows = items.map((item) => {
    const heirs = item.heirs.slice(0, 2).map((h) => `${h.path}${h.definition ? `: ${h.definition}` : ''}`);
    const hunks = item.hunks.map((id) => {
      const h = byId.get(id);
      return h ? `${id} ${h.path}:${h.source.line}` : id;
    });
    return [item.release ?? '', item.title, hunks.join('; '), heirs.join(', ')].map(forDisplay);
  });
  return [
    { kind: 'heading', level: 2, text: 'Work items' },
    { kind: 'paragraph', text: 'The conflicts by what upstream did: each item is solved once.' },
    {
      kind: 'table',
      head: ['release', 'what went', 'hunks', 'what has the work now'],
      rows,
      widths: [1.1, 4, 4, 4],
    },
  ];
}

function checks(check: CheckReport | null): Block[] {
  const heading: Block = { kind: 'heading', level: 2, text: 'Checks' };
  if (!check) {
    return [
      heading,
      { kind: 'paragraph', text: 'No checks were given: nothing here says that the ported kernel builds.' },
    ];
  }
  const rows = check.checks.map((c) => [c.name, c.result, String(c.findings.length), c.reason ?? '']);
  return [
    heading,
    { kind: 'table', head: ['check', 'result', 'findings', 'reason'], rows, widths: [3, 1, 1, 5], right: [2] },
  ];
}

function measurements(bench: BenchReport | null): Block[] {
  const blocks: Block[] = [{ kind: 'heading', level: 2, text: 'Measurements' }];
  if (!bench) return [...blocks, { kind: 'paragraph', text: 'None were given.' }];
  if (bench.groups.some((g) => g.sample)) {
    const text = 'SAMPLE DATA: made up to show how this report looks. Nothing here was measured.';
    blocks.push({ kind: 'paragraph', text, strong: true });
  }
  blocks.push(...plotsOf(bench).map((drawing): Block => ({ kind: 'drawing', drawing })));
  const { head, rows } = benchRows(bench);
  if (rows.length) {
    blocks.push({ kind: 'table', head, rows, widths: [4.2, 2.3, 4.2, 1.1, 4.6, 2.8, 4, 3.4], right: [3, 5] });
  }
  if (bench.published.length) {
    blocks.push({ kind: 'heading', level: 3, text: 'Published numbers, by their authors' });
    blocks.push({
      kind: 'table',
      head: ['benchmark', 'configuration', 'kernel', 'value', 'source'],
      rows: bench.published.map((p) => [p.benchmark, p.configuration, p.kernel, `${p.value} ${p.unit}`, p.source]),
      widths: [2, 2, 1, 2, 5],
    });
  }
  if (bench.refused.length) {
    blocks.push({ kind: 'heading', level: 3, text: 'Refused' });
    blocks.push({ kind: 'list', items: bench.refused.map((r) => `${placeOf(r)}: ${r.reason}`) });
  }
  return blocks;
}

function filesOf(report: PortReport): Block[] {
  const rows = report.files.map((f) => {
    const moved = f.targetPaths.filter((t) => t !== f.path);
    return [forDisplay(f.path), f.status, f.outcome, f.hunks ? String(f.hunks) : '', moved.map(forDisplay).join(', ')];
  });
  return [
    { kind: 'heading', level: 2, text: 'Files' },
    {
      kind: 'table',
      head: ['file', 'change', 'outcome', 'hunks', 'is now'],
      rows,
      widths: [6, 1.6, 2, 1.4, 5],
      right: [3],
    },
  ];
}
