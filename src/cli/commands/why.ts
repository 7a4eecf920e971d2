import { forDisplay } from '../../core/text';
import type { Location } from '../../core/outcome';
import { rowsOf } from '../../report/port/side-by-side';
import type { WhyReport } from '../../report/schema/why';
import { hunkNamed } from '../../resolve/port';
import { openEdits } from '../../resolve/sheet';
import { whyOf } from '../../resolve/why';
import { defineCommand } from '../command';
import { Exit } from '../exit';
import { sideBySide } from '../side-by-side';
import type { Ui } from '../ui';
import { portArguments, portOf, portOptions } from '../work';

export const whyCommand = defineCommand({
  command: 'why <hunk>',
  describe: 'show the evidence for what became of a hunk',
  builder: (y) =>
    portOptions(y)
      .positional('hunk', { type: 'string', demandOption: true, describe: 'the beginning of its id' })
      .example('$0 why 5ad0 --tree ~/linux', 'a hunk of the port that was made last'),
  async run(args, ui) {
    const port = await portOf(args);
    try {
      const here = portArguments(args.tree ?? null, args.branch ?? null);
      const hunk = hunkNamed(
        port.report.hunks,
        args.hunk,
        `run 'kport status${here}', or 'kport show ${port.report.set}'`,
      );
      ui.progress('reading the port');
      const why = await whyOf(port, hunk);
      if (args.json) ui.json(why);
      else show(why, ui);
      return Exit.Done;
    } finally {
      port.repo.close();
    }
  },
});

const place = (t: Location) =>
  `${forDisplay(t.path)}:${t.line}${t.definition === null ? '' : ` in '${forDisplay(t.definition)}'`}`;

function show({ hunk: h, ...why }: WhyReport, ui: Ui): void {
  const rows: [string, string][] = [
    ['hunk', `${h.id}, ${h.patch}`],
    ['from', place({ ...h.source, path: h.path })],
    ['role', h.role],
    ['outcome', `${h.outcome}, confidence ${h.confidence} (${h.strategy})`],
  ];
  if (h.inert) rows.push(['effect', 'none: the set itself does not use what it changes']);
  if (h.skipped) rows.push(['skipped', h.skipped]);
  if (h.message) rows.push(['message', forDisplay(h.message)]);
  if (h.causedBy) {
    const by = [h.causedBy.release, h.causedBy.commit?.slice(0, 12)].filter(Boolean).join(', ');
    rows.push(['caused by', `${by ? `${by}: ` : ''}${h.causedBy.text}`]);
  }
  h.edits.forEach((e, i) => {
    const where = e.target.length ? ` at ${e.target.map(place).join(', ')}` : '';
    rows.push([`edit ${i + 1}`, `${e.kind}: ${e.outcome}, confidence ${e.confidence} (${e.strategy})${where}`]);
  });
  openEdits(h).forEach((e) =>
    (e.candidates ?? []).forEach((c, i) =>
      rows.push([`candidate ${i + 1}`, `${place(c)}${c.parts ? '' : ' (a point, not the whole edit)'}`]),
    ),
  );
  for (const e of h.evidence) rows.push(['evidence', `${forDisplay(e.text)} [${e.kind}]`]);
  const width = Math.max(...rows.map(([name]) => name.length));
  for (const [name, text] of rows) ui.out(`${ui.colors.bold(name.padEnd(width))}  ${text}\n`);
  const title = { left: { mark: '@' as const, text: `${why.set}, ${h.header}` }, right: null };
  if (why.source.length) ui.out(`\n${sideBySide([title, ...rowsOf(why.source, why.ported)], ui)}`);
}
