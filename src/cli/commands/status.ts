import { OUTCOMES } from '../../core/outcome';
import { forDisplay } from '../../core/text';
import type { StatusReport } from '../../report/schema/status';
import type { OpenPort } from '../../resolve/port';
import { statusOf } from '../../resolve/status';
import { defineCommand } from '../command';
import { Exit } from '../exit';
import type { Ui } from '../ui';
import { portArguments, portOf, portOptions } from '../work';
import { tableOf } from './apply';

export const statusCommand = defineCommand({
  command: 'status',
  describe: 'show what is left of a port, and what was resolved',
  builder: (y) => portOptions(y).example('$0 status --tree ~/linux', 'the port that was made last'),
  async run(args, ui) {
    const port = await portOf(args);
    try {
      return await showStatus(port, args, ui);
    } finally {
      port.repo.close();
    }
  },
});

interface StatusArguments {
  tree: string | undefined;
  branch: string | undefined;
  json: boolean;
}

/** Prints where a port stands. Gives the exit code: something is left, or not. */
export async function showStatus(port: OpenPort, args: StatusArguments, ui: Ui): Promise<Exit> {
  const status = await statusOf(port, portArguments(args.tree ?? null, args.branch ?? null));
  if (args.json) ui.json(status);
  else print(status, ui);
  const lost = status.files.some((f) => f.outcome === 'conflict');
  return status.left.length || lost ? Exit.Left : Exit.Done;
}

function print(status: StatusReport, ui: Ui): void {
  const { summary, left, skipped } = status;
  const c = ui.colors;
  ui.out(`${status.set}: ${status.base.version} -> ${status.target.version} (${status.target.name})\n`);
  const state = { 'as-made': '', changed: ', changed since kport made it', gone: ', which is gone' }[status.state];
  ui.out(`branch '${status.branch}' in '${status.tree}'${state}\n\n`);
  const rows = OUTCOMES.filter((o) => summary.byOutcome[o]).map((o) => [o, String(summary.byOutcome[o])]);
  ui.out(`${tableOf(['outcome', 'hunks'], rows, ui)}\n`);
  ui.out(`${summary.placed} of ${summary.hunks} hunks placed, ${left.length} left`);
  ui.out(`${skipped.length ? `, ${skipped.length} skipped` : ''}\n`);
  if (left.length || status.files.length) ui.out('\nleft:\n');
  for (const path of new Set(left.map((h) => h.path))) {
    ui.out(`  ${path}\n`);
    for (const h of left.filter((x) => x.path === path)) {
      const what = h.outcome === 'conflict' ? '' : ` (${h.outcome}: have a look, then skip it)`;
      ui.out(`    ${c.yellow(h.id)} line ${h.line}: ${h.message ?? h.outcome}${what}\n`);
      if (h.causedBy) {
        const by = [h.causedBy.release, h.causedBy.commit?.slice(0, 12)].filter(Boolean).join(', ');
        ui.out(`      caused by${by ? ` ${by}` : ''}: ${h.causedBy.text}\n`);
      }
    }
  }
  for (const f of status.files) ui.out(`  ${f.path}: ${c.yellow(f.outcome)}: ${f.message ?? ''}\n`);
  const several = status.workItems.filter((w) => w.hunks.length > 1);
  if (several.length) ui.out('\nto be solved together:\n');
  for (const w of several) ui.out(`  ${w.hunks.join(' ')}: ${w.title}\n`);
  if (status.resolved.length) ui.out('\nresolved:\n');
  for (const h of status.resolved) {
    const at = h.target.map((t) => `${forDisplay(t.path)}:${t.line}`).join(', ');
    ui.out(`  ${c.green(h.id)} ${h.path}: ${h.strategy} at ${at}\n`);
  }
  if (status.corrected.length) ui.out('\ncorrected:\n');
  for (const x of status.corrected) {
    const what = x.message === null ? '' : `: ${c.yellow('not used')}: ${x.message}`;
    const of = x.hunks.length ? ` (${x.hunks.join(', ')})` : '';
    ui.out(`  ${forDisplay(x.path)}${x.line === null ? '' : `:${x.line}`}${of}${what}\n`);
  }
  if (skipped.length) ui.out('\nskipped:\n');
  for (const h of skipped) ui.out(`  ${h.id} ${h.path}: ${h.reason}\n`);
  const others = status.resolutions.filter((r) => !r.used);
  if (others.length) ui.out('\nremembered, not used here:\n');
  for (const r of others) {
    ui.out(`  ${r.hunk} ${r.path}${r.definition === null ? '' : ` (${r.definition})`}: made at ${r.target.version}\n`);
  }
  ui.say(`\n${status.next.map((n, i) => `${i ? '     ' : 'next:'} ${n}`).join('\n')}`);
}
