import { inputError, usageError } from '../../core/errors';
import { forDisplay, fromDisplay } from '../../core/text';
import { assertWritable, readFile, setExecutable, writeFile, writeFolder } from '../../io/files';
import path from 'node:path';
import { benchReport } from '../../report/bench/groups';
import { benchPage, benchRows, placeOf } from '../../report/bench/html';
import { planFiles } from '../../report/bench/plan';
import { readMeasurements } from '../../report/bench/read';
import type { BenchReport } from '../../report/schema/bench';
import { defineCommand } from '../command';
import { Exit } from '../exit';
import type { Ui } from '../ui';
import { tableOf } from './apply';

export const benchCommand = defineCommand({
  command: 'bench <action> [files..]',
  describe: 'read measurements, or plan them',
  builder: (y) =>
    y
      .positional('action', { choices: ['import', 'plan'] as const, demandOption: true, describe: 'what to do' })
      .positional('files', { type: 'string', array: true, describe: 'import: CSV, or what benchmarks printed' })
      .option('html', { type: 'string', requiresArg: true, describe: 'import: write tables and plots as a page' })
      .option('out', {
        alias: 'o',
        type: 'string',
        requiresArg: true,
        default: 'bench',
        describe: 'plan: folder to make',
      })
      .option('machine', { type: 'string', requiresArg: true, describe: 'plan: name of the measured machine' })
      .option('kernel', { type: 'string', requiresArg: true, describe: 'plan: kernel, for example v5.10' })
      .option('runs', { type: 'number', requiresArg: true, default: 10, describe: 'plan: repetitions' })
      .option('server', {
        type: 'string',
        requiresArg: true,
        default: '10.0.0.1',
        describe: 'plan: measured system, for the client',
      })
      .option('vcpus', { type: 'number', requiresArg: true, default: 4, describe: 'plan: processors of each system' })
      .option('memory', { type: 'string', requiresArg: true, default: '12G', describe: 'plan: memory of each system' })
      .example('$0 bench plan --machine m400 --kernel v5.10 -o bench', 'a checklist and scripts')
      .example('$0 bench import bench/results/*.txt --html measurements.html', 'tables and plots'),
  async run(args, ui) {
    if (args.action === 'plan') {
      const { machine, kernel, runs, server, vcpus, memory } = args;
      if (args.files?.length) throw usageError("'kport bench plan' takes no files");
      if (!machine || !kernel)
        throw usageError("a plan is for one machine and kernel: give '--machine' and '--kernel'");
      if (!(Number.isInteger(runs) && runs >= 3)) throw usageError(`'--runs' takes a number from 3, not '${runs}'`);
      if (!(Number.isInteger(vcpus) && vcpus >= 1)) throw usageError(`'--vcpus' takes a number from 1, not '${vcpus}'`);
      for (const [name, value] of Object.entries({ machine, kernel, server, memory })) {
        if (!/^[\w.:+-]+$/.test(value))
          throw usageError(`'--${name}' takes letters, digits and '.:+-', not '${value}'`);
      }
      const files = planFiles({ machine, kernel, runs, server, vcpus, memory });
      if (!args.dryRun) {
        await writeFolder(args.out, async (dir) => {
          for (const [name, file] of files) {
            writeFile(path.join(dir, name), fromDisplay(file.text));
            if (file.executable) setExecutable(path.join(dir, name));
          }
        });
      }
      if (args.json) ui.json({ schemaVersion: 1, out: args.out, files: [...files.keys()] });
      else ui.out([...files.keys()].map((name) => `${path.join(args.out, name)}\n`).join(''));
      ui.say(args.dryRun ? 'dry run: nothing written' : `next: read ${path.join(args.out, 'README.md')}`);
      return Exit.Done;
    }
    if (!args.files?.length) throw usageError('which files?', 'give CSV files, or what benchmarks printed');
    if (args.html !== undefined) assertWritable(args.html);
    const report = readBench(args.files);
    const isUsable = report.groups.length + report.published.length > 0;
    if (args.html !== undefined && isUsable) {
      if (!args.dryRun) writeFile(args.html, fromDisplay(benchPage(report)));
      ui.say(`${args.dryRun ? 'would write' : 'wrote'} '${args.html}'`);
    }
    if (args.json) ui.json(report);
    else show(report, ui);
    if (!isUsable) {
      throw inputError('no measurement could be used', "see 'refused' above, or run 'kport bench plan'");
    }
    return report.refused.length || report.groups.some((g) => !g.plotted) ? Exit.Left : Exit.Done;
  },
});

/** Reads and checks files of measurements. */
export function readBench(files: readonly string[]): BenchReport {
  return benchReport(files.map((f) => readMeasurements(f, forDisplay(readFile(f)))));
}

function show(report: BenchReport, ui: Ui): void {
  const { head, rows } = benchRows(report);
  if (rows.length) ui.out(tableOf(head, rows, ui));
  if (report.groups.some((g) => g.sample)) ui.out('sample data: made up, nothing of it was measured\n');
  for (const p of report.published) {
    ui.out(`published: ${p.benchmark} ${p.configuration} ${p.kernel}: ${p.value} ${p.unit} (${p.source})\n`);
  }
  for (const r of report.refused) ui.say(`refused: ${placeOf(r)}: ${r.reason}`);
  for (const g of report.groups.filter((x) => !x.plotted)) {
    ui.say(`not plotted: ${g.benchmark} on ${g.kernel}: ${g.marks.join('; ')}`);
  }
}
