import path from 'node:path';
import { inputError, usageError } from '../../core/errors';
import { OUTCOMES, PLACED } from '../../core/outcome';
import type { PortReport } from '../../core/report';
import { forDisplay, fromBytes, fromDisplay, type ByteString } from '../../core/text';
import { findBrowser, printPage } from '../../io/browser';
import { assertWritable, readFile, withScratch, writeFile } from '../../io/files';
import { GitRepo } from '../../io/git';
import { Scratch } from '../../io/scratch';
import { openTree } from '../../io/tree';
import { loadSet } from '../../patch-set/patch-set';
import { folderSide, parsePort, reportInFolder, revisionSide } from '../../report/diff-ports/sides';
import type { Block } from '../../report/document/blocks';
import { documentPage } from '../../report/document/html';
import { documentPdf } from '../../report/document/pdf';
import { portDocument } from '../../report/document/port';
import { portPage } from '../../report/port/html';
import { viewOf, type PortView } from '../../report/port/view';
import { CheckSchema, type CheckReport } from '../../report/schema/check';
import { loadPort } from '../../result/store';
import { defineCommand } from '../command';
import { Exit } from '../exit';
import { patchesDirToRead } from '../patches-dir';
import type { Ui } from '../ui';
import { tableOf } from './apply';
import { readBench } from './bench';

export const reportCommand = defineCommand({
  command: 'report',
  describe: 'show a port to people: a page, a document, or a summary',
  builder: (y) =>
    y
      .option('tree', { type: 'string', requiresArg: true, describe: 'repository of the port (default: here)' })
      .option('branch', {
        type: 'string',
        requiresArg: true,
        describe: 'branch of the port (default: the last one made)',
      })
      .option('port', { type: 'string', requiresArg: true, describe: "folder that 'kport apply --out' made, instead" })
      .option('html', { type: 'string', requiresArg: true, describe: 'write a page for the reviewer' })
      .option('pdf', { type: 'string', requiresArg: true, describe: 'write the port as a document' })
      .option('pdf-with', {
        choices: ['auto', 'browser', 'library'] as const,
        default: 'auto' as const,
        describe: 'who makes the PDF: a browser when there is one, else a library',
      })
      .option('bench', {
        type: 'string',
        array: true,
        requiresArg: true,
        describe: 'measurements to put in (see kport bench)',
      })
      .option('check', { type: 'string', requiresArg: true, describe: "JSON of 'kport check' to put in" })
      .conflicts('port', 'branch')
      .example('$0 report --tree ~/linux --html port.html', 'the port that was made last'),
  async run(args, ui) {
    for (const file of [args.html, args.pdf]) if (file !== undefined) assertWritable(file);
    const check = args.check === undefined ? null : readCheck(args.check);
    const report =
      args.port === undefined ? await storedPort(args.tree ?? '.', args.branch ?? null) : portInFolder(args.port);
    if (args.html !== undefined) {
      ui.progress('reading the port');
      const view = await portView(report, { tree: args.tree, patches: args.patches, port: args.port });
      const page = fromDisplay(portPage(view, { check }));
      if (!args.dryRun) writeFile(args.html, page);
      ui.say(`${args.dryRun ? 'would write' : 'wrote'} '${args.html}' (${(page.length / 1e6).toFixed(1)} MB)`);
    }
    if (args.pdf !== undefined) {
      ui.progress('making the document');
      const bench = args.bench?.length ? readBench(args.bench) : null;
      const blocks = portDocument(report, check, bench);
      await writePdf(
        args.pdf,
        `Port of ${report.set} to ${report.target.version}`,
        blocks,
        args.pdfWith,
        args.dryRun,
        ui,
      );
    }
    if (args.json) ui.json(report);
    else if (args.html === undefined && args.pdf === undefined) show(report, ui);
    return Exit.Done;
  },
});

async function storedPort(tree: string, branch: string | null): Promise<PortReport> {
  const repo = await GitRepo.open(tree);
  if (!repo)
    throw inputError(`'${tree}' is no git repository`, "give '--tree DIR', or '--port DIR' for a folder of patches");
  try {
    const report = await loadPort(repo, branch);
    if (report) return report;
  } finally {
    repo.close();
  }
  throw inputError(
    branch === null ? `no port was made in '${tree}'` : `'${branch}' is no port of kport's in '${tree}'`,
    "run 'kport apply --set NAME --tree DIR --to VERSION' first",
  );
}

function portInFolder(dir: string): PortReport {
  const report = reportInFolder(dir);
  if (!report) throw inputError(`'${dir}' has no port.json`, "give the folder that 'kport apply --out' made");
  return report;
}

function readCheck(file: string): CheckReport {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(readFile(file), 'latin1').toString('utf8'));
  } catch (cause) {
    if (cause instanceof SyntaxError) throw inputError(`'${file}' is not JSON`, "make it with 'kport check --json'");
    throw cause;
  }
  const parsed = CheckSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw inputError(`'${file}' holds no checks: ${issue.path.join('.')}: ${issue.message}`);
}

/** Through the browser when there is one, for its line breaks and fonts; else with the library, and either way it says so. */
async function writePdf(
  file: string,
  title: string,
  blocks: readonly Block[],
  choice: 'auto' | 'browser' | 'library',
  dryRun: boolean,
  ui: Ui,
): Promise<void> {
  const browser = choice === 'library' ? null : await findBrowser();
  if (choice === 'browser' && browser === null) {
    throw inputError('no browser found', "install chromium, set KPORT_BROWSER, or give '--pdf-with library'");
  }
  let how = 'with the PDF library';
  let bytes: ByteString | null = null;
  if (browser !== null) {
    const printed = await printWith(browser, documentPage(title, blocks));
    if ('pdf' in printed) {
      bytes = printed.pdf;
      how = `printed by '${browser}'`;
    } else if (choice === 'browser') throw inputError(`'${browser}' could not print: ${printed.trouble}`);
    else ui.say(`note: '${browser}' could not print (${printed.trouble}); the PDF library does it`);
  } else if (choice === 'auto') ui.say('note: no browser found; the PDF library makes a plainer document');
  bytes ??= fromBytes(await documentPdf(title, blocks));
  if (!dryRun) writeFile(file, bytes);
  ui.say(`${dryRun ? 'would write' : 'wrote'} '${file}', ${how}`);
}

function printWith(browser: string, html: string): Promise<{ pdf: ByteString } | { trouble: string }> {
  return withScratch(async (dir) => {
    const [from, to] = [path.join(dir, 'document.html'), path.join(dir, 'document.pdf')];
    writeFile(from, fromDisplay(html));
    const trouble = await printPage(browser, from, to, path.join(dir, 'profile'));
    if (trouble !== null) return { trouble };
    // Without the time of day two runs give the same bytes; the length stays, for the offsets in the file.
    return { pdf: readFile(to).replace(/\/(CreationDate|ModDate) \(D:\d{14}/g, '/$1 (D:19700101000000') };
  });
}

interface Where {
  tree: string | undefined;
  patches: string | undefined;
  port: string | undefined;
}

/** What the page shows of a port. Needs the set, and the tree that was made. */
async function portView(report: PortReport, where: Where): Promise<PortView> {
  const set = await loadSet(where.patches ?? knownPatches(report), report.set);
  if (!report.result) throw usageError('a dry run made no tree to show');
  const { commit } = report.target;
  const tree = where.tree ?? report.result.tree;
  const target = await openTree(tree, commit);
  const repos = target.repo ? [target.repo] : [];
  try {
    return await Scratch.use(repos, async (scratch) => {
      const { commits, branch } = report.result!;
      const made = branch !== null && target.repo ? (commits[commits.length - 1] ?? commit!) : null;
      const side =
        made !== null
          ? await revisionSide(target.repo!, parsePort(made), commit!)
          : await folderSide(target, parsePort(where.port ?? report.result!.out!), report, scratch);
      return viewOf(report, set, side, scratch);
    });
  } finally {
    for (const repo of repos) repo.close();
  }
}

function knownPatches(report: PortReport): string {
  return report.patchesDir ? path.resolve(report.patchesDir) : patchesDirToRead(undefined);
}

function show(report: PortReport, ui: Ui): void {
  const { summary } = report;
  ui.out(`${report.set}: ${report.base.version} -> ${report.target.version} (${report.target.name})\n\n`);
  const rows = OUTCOMES.filter((o) => summary.byOutcome[o]).map((o) => [o, String(summary.byOutcome[o])]);
  ui.out(`${tableOf(['outcome', 'hunks'], rows, ui)}\n${summary.placed} of ${summary.hunks} hunks placed\n`);
  for (const h of report.hunks.filter((x) => !PLACED.has(x.outcome))) {
    ui.out(
      `  ${ui.colors.yellow(h.id)} ${forDisplay(h.path)}:${h.source.line}: ${forDisplay(h.message ?? h.outcome)}\n`,
    );
  }
  ui.say('next: kport report --html FILE, or --pdf FILE');
}
