import { usageError } from '../../core/errors';
import { forDisplay } from '../../core/text';
import { parameterList, spaced } from '../../hypercall-gen/extract';
import { stubOf, type Finding, type Hypercall } from '../../hypercall-gen/types';
import { hypercalls, type HypercallsResult } from '../../hypercalls';
import { defineCommand } from '../command';
import { Exit } from '../exit';
import { fixtureKernels } from '../fixture-kernels';
import { patchesDirToRead } from '../patches-dir';
import type { Ui } from '../ui';
import { tableOf } from './apply';

export const hypercallsCommand = defineCommand({
  command: 'hypercalls',
  describe: 'show, check and generate the numbered calls from hostvisor to corevisor',
  builder: (y) =>
    y
      .option('set', { type: 'string', requiresArg: true, demandOption: true, describe: 'patch set' })
      .option('tree', {
        type: 'string',
        requiresArg: true,
        describe: 'kernel repository or folder (default: the bundled fixture kernels)',
      })
      .option('base-tree', {
        type: 'string',
        requiresArg: true,
        describe: 'where the base kernel is, when not in --tree',
      })
      .option('to', {
        type: 'string',
        requiresArg: true,
        describe: 'target kernel: its numbers are checked, code is generated for its era (default: the base)',
      })
      .option('extract', {
        type: 'boolean',
        default: false,
        describe: "write the table to --table, or to the set's hypercalls.json",
      })
      .option('table', { type: 'string', requiresArg: true, describe: 'table to read (.json or .yaml)' })
      .option('emit', { type: 'string', requiresArg: true, describe: 'folder for the generated code' })
      .option('diff', { type: 'string', requiresArg: true, describe: 'list the differences to another set' })
      .option('force', { alias: 'f', type: 'boolean', default: false, describe: 'replace files that are there' })
      .example('$0 hypercalls --set mine --tree ~/linux', 'the table and what does not fit')
      .example('$0 hypercalls --set mine --tree ~/linux --to v5.10 --emit out', 'the code for 5.10')
      .example('$0 hypercalls --set mine --extract --table calls.yaml', 'a table to edit'),
  async run(args, ui) {
    if (args.diff === args.set) throw usageError("'--diff' needs another set");
    const result = await hypercalls({
      set: args.set,
      patchesDir: patchesDirToRead(args.patches),
      tree: args.tree ?? null,
      baseTree: args.baseTree ?? null,
      bundled: fixtureKernels,
      to: args.to ?? null,
      extract: args.extract,
      table: args.table ?? null,
      emit: args.emit ?? null,
      diff: args.diff ?? null,
      force: args.force,
      dryRun: args.dryRun,
    });
    for (const note of result.notes) ui.say(`note: ${forDisplay(note)}`);
    if (args.json) ui.json(documentOf(result));
    else show(result, ui);
    if (!args.json && result.generated && args.emit !== undefined) {
      for (const f of result.generated.files) ui.out(`${f.what}\t${f.kind}\t${f.path}\n`);
      for (const note of result.generated.notes) ui.say(`note: ${forDisplay(note)}`);
    }
    if (args.dryRun) ui.say('dry run: nothing written');
    else if (result.wrote) {
      ui.say(`wrote '${result.file}'\nnext: edit it, then kport hypercalls --set ${args.set} --table ${result.file}`);
    } else if (args.emit !== undefined) {
      ui.say(`wrote '${args.emit}'\nnext: copy its arch/ over the kernel, then git apply ${args.emit}/entries.patch`);
    }
    return result.findings.some((f) => f.severity === 'error') ? Exit.Left : Exit.Done;
  },
});

/** The JSON document. Extend, do not break. */
function documentOf(result: HypercallsResult) {
  const { table, era } = result;
  return {
    schemaVersion: 1,
    set: table.set,
    base: table.base,
    target: result.target,
    era: era && { kind: era.kind, evidence: era.evidence },
    table: result.file,
    interface: table.interface,
    hypercalls: table.hypercalls,
    asmCalls: table.asmCalls,
    findings: result.findings,
    ...(result.differences && { differences: result.differences }),
    ...(result.generated && {
      generated: {
        files: result.generated.files.map(({ path, kind, what }) => ({ path, kind, what })),
        glue: result.generated.glue,
        notes: result.generated.notes,
      },
    }),
    notes: result.notes,
  };
}

function show(result: HypercallsResult, ui: Ui): void {
  const { table } = result;
  const { dispatcher, primitive } = table.interface;
  const stubs = table.hypercalls.filter((h) => h.stub !== null).length;
  const direct = table.hypercalls.filter((h) => h.callSites.length > 0).length;
  ui.out(
    `${table.set} on ${table.base}: ${table.hypercalls.length} hypercalls by ${primitive}, ${stubs} with a stub, ` +
      `${direct} called directly; dispatcher: ${dispatcher ? `${dispatcher.name} (${dispatcher.style})` : 'none'}\n`,
  );
  const rows = table.hypercalls.map((h) => [String(h.number), h.name, callerOf(h), h.handler ?? '-', reachOf(h)]);
  ui.out(`${tableOf(['nr', 'name', 'host', 'handler', 'reached by'], rows, ui)}\n`);
  for (const c of table.asmCalls) ui.out(`${c.number}\t${c.name}\tin assembly alone\n`);
  if (result.era) ui.out(`${result.target!.version}: era ${result.era.kind}\n`);
  for (const f of result.findings) ui.out(`${lineOf(f, ui)}\n`);
  if (result.findings.length === 0) ui.out('no findings\n');
  if (result.differences) {
    ui.out(`\n${result.differences.length} differences\n`);
    const cells = result.differences.map((d) => [d.hypercall ?? '-', d.what, d.a ?? '-', d.b ?? '-']);
    ui.out(tableOf(['hypercall', 'what', table.set, 'other'], cells, ui));
  }
}

function callerOf(h: Hypercall): string {
  const stub = stubOf(h);
  if (stub) return `${spaced(h.returns)}${h.stub}(${parameterList(stub.parameters)})`;
  const where = h.callSites.map((s) => `${s.path}:${s.line}`).join(', ');
  return where ? `${spaced(h.returns)}call(${parameterList(h.args)}) at ${where}` : '-';
}

function reachOf(h: Hypercall): string {
  return h.dispatch?.by ?? (h.handler !== null && h.place === null ? 'generated' : '-');
}

function lineOf(f: Finding, ui: Ui): string {
  const c = ui.colors;
  const color = { error: c.red, warning: c.yellow, info: c.dim }[f.severity];
  return `${f.path ? `${f.path}:${f.line}: ` : ''}${color(f.severity)}: ${f.message} [${f.kind}]`;
}
