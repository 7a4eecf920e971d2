import Table from 'cli-table3';
import type { ByteString } from '../../core/text';
import type { SourceFile } from '../../kernel-index';
import { defineCommand } from '../command';
import { Exit } from '../exit';
import { indexOf, scopeNamed } from '../kernels';

/** Figures of one folder. */
interface Row {
  folder: string;
  files: number;
  definitions: number;
  parsed: number;
  filesBad: number;
  items: number;
  itemsBad: number;
  filesBadRaw: number | null;
  itemsBadRaw: number | null;
  broken: number;
}

export const indexCommand = defineCommand({
  command: 'index [rev]',
  describe: 'build or refresh the kernel index',
  builder: (y) =>
    y
      .positional('rev', { type: 'string', describe: 'revision of --tree (default: HEAD, or the folder as it is)' })
      .option('tree', {
        type: 'string',
        requiresArg: true,
        demandOption: true,
        describe: 'kernel repository or folder',
      })
      .option('set', {
        type: 'string',
        requiresArg: true,
        describe: 'index what this patch set touches (default: all sets)',
      })
      .option('scope', {
        choices: ['set', 'tree'] as const,
        default: 'set' as const,
        describe: 'what the sets touch and what that includes, or the whole tree',
      })
      .option('raw', {
        type: 'boolean',
        default: false,
        describe: 'count parse errors without the pre-pass, too (slow)',
      })
      .option('cache', { type: 'boolean', default: true, describe: 'use the cache' })
      .example('$0 index v5.10 --tree ~/linux', 'the part that the sets need'),
  async run(args, ui) {
    const scope = await scopeNamed(args.scope, args.set, args.patches);
    const rows = new Map<string, Row>();
    const troubled: { path: ByteString; trouble: string }[] = [];
    const index = await indexOf(args.tree, args.rev ?? null, scope, ui, {
      cache: args.cache && !args.dryRun,
      grammar: true,
      countRaw: args.raw,
      onFile(file) {
        summarize(file, rows);
        if (file.index.trouble !== null) troubled.push({ path: file.path, trouble: file.index.trouble });
      },
    });
    const { stats } = index;
    const folders = [...rows.values()].sort((a, b) => (a.folder < b.folder ? -1 : 1));
    index.tree.repo?.close();
    if (args.json) {
      ui.json({
        schemaVersion: 1,
        tree: { name: index.tree.name, commit: index.tree.commit },
        attributes: [...index.attributes.words],
        stats,
        folders,
        troubled,
      });
      return Exit.Done;
    }
    if (folders.length) {
      const head = [
        'folder',
        'files',
        'definitions',
        'files with errors',
        'items with errors',
        ...(args.raw ? ['files raw', 'items raw'] : []),
      ];
      const table = new Table({ head, style: { head: [], border: [] } });
      for (const r of folders) {
        const raw = args.raw ? [share(r.filesBadRaw ?? 0, r.parsed), share(r.itemsBadRaw ?? 0, r.items)] : [];
        table.push([r.folder, r.files, r.definitions, share(r.filesBad, r.parsed), share(r.itemsBad, r.items), ...raw]);
      }
      ui.out(`${table.toString()}\n`);
    }
    for (const t of troubled) ui.say(`${t.path}: ${t.trouble}`);
    ui.say(
      `${index.tree.name}: ${stats.files} files, ${stats.definitions} definitions; ${stats.indexed} indexed, ${stats.cached} from the cache` +
        `${stats.damaged ? `, ${stats.damaged} damaged entries made anew` : ''} (${(stats.milliseconds / 1000).toFixed(1)} s)`,
    );
    return Exit.Done;
  },
});

/** Adds a file to the figures of its folder: two levels, three below arch. */
function summarize({ path, index }: SourceFile, rows: Map<string, Row>): void {
  const parts = path.split('/').slice(0, -1);
  const folder = parts.slice(0, parts[0] === 'arch' ? 3 : 2).join('/') || '.';
  let row = rows.get(folder);
  if (!row) {
    row = { folder, files: 0, definitions: 0, parsed: 0, filesBad: 0, items: 0, itemsBad: 0, ...NOT_RAW, broken: 0 };
    rows.set(folder, row);
  }
  row.files++;
  row.definitions += index.definitions.length;
  row.broken += index.definitions.filter((d) => d.broken).length;
  if (index.language === 'c') row.parsed++;
  // The grammar was asked above.
  if (index.parse === null) return;
  row.items += index.parse.items;
  row.itemsBad += index.parse.bad;
  row.filesBad += index.parse.bad > 0 ? 1 : 0;
  if (index.parse.badRaw !== null) {
    row.itemsBadRaw = (row.itemsBadRaw ?? 0) + index.parse.badRaw;
    row.filesBadRaw = (row.filesBadRaw ?? 0) + (index.parse.badRaw > 0 ? 1 : 0);
  }
}

const NOT_RAW = { filesBadRaw: null, itemsBadRaw: null };

function share(part: number, all: number): string {
  return all === 0 ? '-' : `${part} (${((100 * part) / all).toFixed(2)} %)`;
}
