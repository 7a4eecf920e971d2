import { usageError, inputError } from '../../core/errors';
import { compareVersions, parseVersion } from '../../core/version';
import type { KernelIndex } from '../../kernel-index';
import { loadSet } from '../../patch-set/patch-set';
import {
  loadChronicle,
  loadRules,
  mapSymbols,
  type FileHeir,
  type MapEntry,
  type SymbolKind,
  type SymbolMap,
} from '../../symbol-map';
import { namesUsed } from '../../symbol-map/set-symbols';
import { defineCommand } from '../command';
import { Exit } from '../exit';
import { indexOf, scopeNamed } from '../kernels';
import { patchesDirToRead } from '../patches-dir';
import type { Ui } from '../ui';

/** One step of a chain. */
interface Step {
  from: string;
  to: string;
  entry: MapEntry | null;
}

export const mapCommand = defineCommand({
  command: 'map [what]',
  describe: 'say where a symbol or file went',
  builder: (y) =>
    y
      .positional('what', { type: 'string', describe: 'symbol, struct.field or path (default: all that --set uses)' })
      .option('tree', { type: 'string', requiresArg: true, demandOption: true, describe: 'kernel repository' })
      .option('from', {
        type: 'string',
        requiresArg: true,
        demandOption: true,
        describe: 'revision of the base kernel',
      })
      .option('to', {
        type: 'string',
        requiresArg: true,
        demandOption: true,
        describe: 'revision of the target kernel',
      })
      .option('set', { type: 'string', requiresArg: true, describe: 'patch set whose files and symbols count' })
      .option('kind', { type: 'string', requiresArg: true, describe: 'function, macro, struct, field …' })
      .option('in', { type: 'string', requiresArg: true, describe: 'file of the base that defines the symbol' })
      .option('chronicle', { type: 'boolean', default: true, describe: 'use the known upstream changes' })
      .option('steps', {
        type: 'boolean',
        default: true,
        describe: 'show the releases in between, where there are tags',
      })
      .example('$0 map kvm_vcpu_get_hsr --tree ~/linux --from v4.18 --to v5.10', ''),
  async run(args, ui) {
    if (args.what === undefined && args.set === undefined) {
      throw usageError('what should be mapped?', "give a symbol or a path, or '--set NAME' for all that a set uses");
    }
    const scope = await scopeNamed('set', args.set, args.patches);
    const chronicle = args.chronicle ? loadChronicle() : undefined;
    const rules = loadRules(args.tree);
    const open = (revision: string) => indexOf(args.tree, revision, scope, ui);
    const mapBetween = (base: KernelIndex, target: KernelIndex) =>
      mapSymbols(base, target, { ...(chronicle ? { chronicle } : {}), rules });
    const base = await open(args.from);
    const target = await open(args.to);
    const map = mapBetween(base, target);
    const kind = (args.kind ?? null) as SymbolKind | null;
    const common = { schemaVersion: 1, from: args.from, to: args.to };
    try {
      if (args.what === undefined) {
        const set = await loadSet(patchesDirToRead(args.patches), args.set!);
        const entries = namesUsed(set).flatMap(({ name, path }) => map.lookup(null, name, path) ?? []);
        if (args.json) ui.json({ ...common, set: args.set, entries, ignoredRows: map.ignoredRows() });
        else entries.filter((e) => e.status !== 'same').forEach((e) => ui.out(`${brief(e)}\n`));
        const changed = entries.filter((e) => e.status !== 'same').length;
        ui.say(`${entries.length} symbols of ${args.from} are used; ${changed} are not the same in ${args.to}`);
        reportIgnored(map, ui);
        return Exit.Done;
      }
      if (args.what.includes('/') || base.file(args.what)) {
        const heirs = map.files(args.what);
        if (args.json) ui.json({ ...common, path: args.what, heirs });
        else ui.out(describeHeirs(args.what, heirs));
        return heirs.length ? Exit.Done : Exit.Left;
      }
      const entry = map.lookup(kind, args.what, args.in);
      if (!entry) {
        throw inputError(
          `no symbol '${args.what}' in ${args.from}`,
          'only files that the patch sets touch, KVM, and what they include are looked at',
        );
      }
      const chain = args.steps && base.tree.repo ? await chainOf(entry, base, target, open, mapBetween) : [];
      if (args.json) ui.json({ ...common, entry, chain, ignoredRows: map.ignoredRows() });
      else {
        ui.out(describe(entry));
        for (const step of chain)
          ui.out(`  ${step.from} -> ${step.to}: ${step.entry ? brief(step.entry) : 'not there'}\n`);
      }
      reportIgnored(map, ui);
      return Exit.Done;
    } finally {
      base.tree.repo?.close();
      target.tree.repo?.close();
    }
  },
});

/** Follows a symbol from release to release, where the repository has tags for them. */
async function chainOf(
  entry: MapEntry,
  base: KernelIndex,
  target: KernelIndex,
  open: (revision: string) => Promise<KernelIndex>,
  mapBetween: (a: KernelIndex, b: KernelIndex) => SymbolMap,
): Promise<Step[]> {
  const tags = (await base.tree.repo!.tags()).filter((t) => {
    const v = /^v\d+\.\d+$/.test(t) ? parseVersion(t) : null;
    return v && compareVersions(v, base.tree.version) > 0 && compareVersions(v, target.tree.version) < 0;
  });
  if (tags.length === 0) return [];
  tags.sort((a, b) => compareVersions(parseVersion(a)!, parseVersion(b)!));
  const steps: Step[] = [];
  let at: KernelIndex = base;
  let symbol = entry.from;
  for (const tag of [...tags, null]) {
    const next = tag === null ? target : await open(tag);
    const step = mapBetween(at, next).lookup(symbol.kind, symbol.name, symbol.path);
    if (!step || step.status !== 'same') steps.push({ from: at.tree.name, to: next.tree.name, entry: step });
    if (at !== base) at.tree.repo?.close();
    at = next;
    if (!step?.to[0]) break;
    symbol = step.to[0];
  }
  return steps;
}

function brief(e: MapEntry): string {
  const to = e.to.map((t) => `${t.name === e.from.name ? '' : `${t.name} in `}${t.path}`).join(', ');
  const changes = e.changes.map((c) => c.kind).filter((k) => k !== 'annotations-changed');
  return `${e.from.name}: ${e.status}${to && e.status !== 'same' ? ` to ${to}` : ''} (${e.confidence.toFixed(2)})${changes.length ? `, ${changes.join(', ')}` : ''}`;
}

function describe(e: MapEntry): string {
  const lines = [`${e.from.kind} ${e.from.name} (${e.from.path}): ${e.status}, confidence ${e.confidence.toFixed(2)}`];
  for (const t of e.to) lines.push(`  to ${t.kind} ${t.name} (${t.path})`);
  for (const c of e.changes) lines.push(`  change: ${JSON.stringify(c)}`);
  for (const v of e.evidence) lines.push(`  evidence: ${v.text} [${v.kind}]`);
  return `${lines.join('\n')}\n`;
}

function describeHeirs(path: string, heirs: readonly FileHeir[]): string {
  if (heirs.length === 0) return `${path}: gone, and nothing took it over\n`;
  return heirs
    .map(
      (h) =>
        `${path} -> ${h.path} (${h.confidence.toFixed(2)})\n${h.evidence.map((v) => `  evidence: ${v.text} [${v.kind}]\n`).join('')}`,
    )
    .join('');
}

function reportIgnored(map: SymbolMap, ui: Ui): void {
  for (const row of map.ignoredRows())
    ui.say(`warning: row ${row.id} does not hold here and is ignored: ${row.reason}`);
}
