import path from 'node:path';
import { inputError, usageError } from '../../core/errors';
import { forDisplay } from '../../core/text';
import { exists, listFolder, writeFile } from '../../io/files';
import { isFolder } from '../../io/tree';
import { MAX_PATCHES, sendSeries, withSeries, type Series } from '../../series/series';
import { SUPPRESS } from '../../series/recipients';
import { defineCommand } from '../command';
import { Exit } from '../exit';
import { patchesDirToRead } from '../patches-dir';
import type { Ui } from '../ui';

export const mailCommand = defineCommand({
  command: 'mail',
  describe: 'make a mail series of a port, and send it with git',
  builder: (y) =>
    y
      .option('dry-run', {
        alias: 'n',
        type: 'boolean',
        default: undefined as unknown as boolean,
        describe: 'write nothing; --no-dry-run with --send sends for real',
      })
      .option('tree', { type: 'string', requiresArg: true, default: '.', describe: 'kernel repository' })
      .option('branch', {
        type: 'string',
        requiresArg: true,
        describe: 'branch with the port (default: the port made last)',
      })
      .option('base', { type: 'string', requiresArg: true, describe: 'revision that the branch was made on' })
      .option('set', { type: 'string', requiresArg: true, describe: 'patch set that was ported' })
      .option('rfc', { type: 'boolean', default: false, describe: 'ask for comments: [PATCH RFC]' })
      .option('reroll-count', {
        alias: 'v',
        type: 'number',
        default: 1,
        requiresArg: true,
        describe: 'version of the series: [PATCH v2]',
      })
      .option('subject-prefix', { type: 'string', requiresArg: true, default: 'PATCH', describe: 'instead of PATCH' })
      .option('to', { type: 'string', array: true, requiresArg: true, default: [] as string[], describe: 'a reader' })
      .option('cc', { type: 'string', array: true, requiresArg: true, default: [] as string[], describe: 'a reader' })
      .option('suppress-cc', {
        type: 'string',
        array: true,
        requiresArg: true,
        default: [] as string[],
        describe: `leave out: ${SUPPRESS.join(', ')}`,
      })
      .option('maintainers', {
        type: 'boolean',
        describe: 'ask MAINTAINERS for readers (default: only without --to)',
      })
      .option('signoff', { alias: 's', type: 'boolean', default: false, describe: 'add your Signed-off-by' })
      .option('notes', {
        type: 'boolean',
        default: false,
        describe: 'port notes below --- instead of [name: …] in the message',
      })
      .option('allow-incomplete', { type: 'boolean', default: false, describe: 'with --rfc: mail an unfinished port' })
      .option('previous', {
        type: 'string',
        requiresArg: true,
        describe: 'version before, as mbox, folder or range (default: the one kept)',
      })
      .option('in-reply-to', {
        type: 'string',
        requiresArg: true,
        describe: 'Message-ID to answer (default: a new thread)',
      })
      .option('series', {
        type: 'string',
        requiresArg: true,
        describe: 'plan to obey (default: series.yaml of the port)',
      })
      .option('plan', { type: 'boolean', default: false, describe: 'make a new plan and stop there' })
      .option('split', {
        type: 'boolean',
        describe: 'cut the whole by topic, or with --no-split keep the commits (default: as they look)',
      })
      .option('max-patches', { type: 'number', default: MAX_PATCHES, requiresArg: true, describe: 'patches at most' })
      .option('checkpatch', { type: 'boolean', default: true, describe: "run the kernel's checkpatch.pl" })
      .option('output-directory', {
        alias: 'o',
        type: 'string',
        requiresArg: true,
        describe: 'folder for the mails, or - for one mbox',
      })
      .option('send', {
        type: 'boolean',
        default: false,
        describe: 'git send-email: a dry run, unless --no-dry-run is given',
      })
      .example('$0 mail --tree ~/linux -o outgoing', 'the port made last, as files')
      .example('$0 mail --tree ~/linux --branch sekvm-5.10 --to staff@example.org -s --send', 'try what would be sent')
      .example('$0 mail --tree ~/linux --branch my --base v5.10 --rfc -v 2 -o - | git am --empty=drop', 'any branch'),
  async run(args, ui) {
    const version = args['reroll-count'];
    if (!Number.isInteger(version) || version < 1)
      throw usageError(`'-v ${version}' is no version`, 'versions are 1, 2, 3 …');
    if (args.allowIncomplete && !args.rfc)
      throw usageError("'--allow-incomplete' needs '--rfc'", 'an unfinished port can only ask for comments');
    const out = args.o as string | undefined;
    // Not asked and asked for are two things here: '--send' alone is a dry run of git send-email.
    const asked = args.dryRun as boolean | undefined;
    const dryRun = asked === true && !args.send;
    const reallySend = args.send && asked === false;
    if (out !== undefined && out !== '-' && !dryRun) assertFolder(out);
    return withSeries(
      {
        tree: args.tree,
        branch: args.branch ?? null,
        base: args.base ?? null,
        set: args.set ?? null,
        patchesDir: patchesDirToRead(args.patches),
        version,
        rfc: args.rfc,
        subjectPrefix: args['subject-prefix'],
        to: args.to,
        cc: args.cc,
        suppress: args['suppress-cc'],
        maintainers: args.maintainers,
        signOff: args.signoff,
        notesBelow: args.notes,
        allowIncomplete: args['allow-incomplete'],
        previous: args.previous ?? null,
        inReplyTo: args['in-reply-to'] ?? null,
        split: args.split,
        replan: args.plan,
        planFile: args.series ?? null,
        maxPatches: args['max-patches'],
        checkpatch: args.checkpatch && !args.plan,
        dryRun,
        progress: (stage) => ui.progress(stage),
        eachStep: null,
      },
      async (series, repo, store) => {
        if (args.json) ui.json(toJson(series));
        else if (out === '-') ui.bytes(series.mails.map((m) => m.text).join('\n'));
        talk(series, ui);
        if (dryRun) ui.say('dry run: nothing written');
        else if (out !== undefined && out !== '-') {
          assertNoOthers(out, series);
          for (const mail of series.mails) {
            const file = path.join(out, mail.name);
            writeFile(file, mail.text);
            if (!args.json) ui.out(`${file}\n`);
          }
        } else if (out !== '-' && !args.json && series.dir)
          for (const mail of series.mails) ui.out(`${path.join(series.dir, mail.name)}\n`);
        if (args.plan) {
          ui.say(`wrote '${series.planFile}'\nnext: edit it, then run 'kport mail' again`);
          return Exit.Done;
        }
        if (args.send) {
          if (series.dir === null)
            throw usageError(
              "'--send' with '--dry-run' needs mails on disk",
              "'--send' alone is a dry run of git send-email",
            );
          const said = await sendSeries(series, repo, store, reallySend);
          ui.say(said.trimEnd());
          ui.say(
            reallySend
              ? 'sent.'
              : "\nnothing was sent: that was git send-email's dry run\nnext: the same with '--send --no-dry-run'",
          );
        } else if (!dryRun) {
          // The cover letter is a mail without a patch. Patches to files with CRLF line ends lose them in git am otherwise.
          const keepCr = series.mails.some((m) => m.text.includes('\r\n')) ? ' --keep-cr' : '';
          const where = out && out !== '-' ? out : series.dir!;
          ui.say(
            `\nplan: ${series.planFile}\ncover letter: ${series.coverFile}\nnext: git am --empty=drop${keepCr} ${where}/*.patch on ${series.base.slice(0, 12)}, or the same with '--send'`,
          );
        }
        return series.checks.some((c) => c.result === 'fail') ? Exit.Left : Exit.Done;
      },
    );
  },
});

function assertFolder(out: string): void {
  if (exists(out) && !isFolder(out))
    throw inputError(`'${out}' is not a folder`, "name a folder, or '-' for one mbox on standard output");
}

/** Old mails in the folder would be sent or applied along with the new ones. */
function assertNoOthers(out: string, series: Series): void {
  if (!exists(out)) return;
  const ours = new Set(series.mails.map((m) => m.name));
  const other = listFolder(out).find((f) => f.endsWith('.patch') && !ours.has(f));
  if (other)
    throw inputError(`'${out}' holds another patch: '${other}'`, 'name a new folder, or remove what is in this one');
}

/** What the person should know, on standard error. */
function talk(series: Series, ui: Ui): void {
  ui.say(`${forDisplay(series.cover.subject)}${series.version > 1 ? ` (v${series.version})` : ''}`);
  for (const p of series.patches) {
    const [added, removed] = p.units.reduce(([a, r], u) => [a + u.added, r + u.removed], [0, 0]);
    ui.say(
      `  ${String(p.number).padStart(2)}/${series.patches.length} ${forDisplay(p.subject)} (+${added} -${removed})`,
    );
  }
  ui.say(`\nreaders (${series.recipientSource}):`);
  const going = series.recipients.filter((r) => r.suppressed === null);
  for (const r of going)
    ui.say(
      `  ${r.field}: ${r.address}\n      ${r.reasons.slice(0, 3).join('; ')}${r.reasons.length > 3 ? `; and ${r.reasons.length - 3} more` : ''}`,
    );
  if (going.length === 0) ui.say('  nobody yet');
  for (const r of series.recipients.filter((x) => x.suppressed !== null))
    ui.say(`  left out: ${r.address} (${r.reasons[0]}): ${r.suppressed}`);
  ui.say('\nchecks:');
  for (const c of series.checks) {
    ui.say(`  ${c.result}: ${c.name}: ${c.reason}`);
    for (const f of c.findings.slice(0, 10)) ui.say(`      ${f}`);
    if (c.findings.length > 10) ui.say(`      and ${c.findings.length - 10} more (--json has them all)`);
  }
  for (const l of series.changeLog) ui.say(`since v${series.version - 1}: ${l}`);
  for (const u of series.unreadable) ui.say(`left out: ${u}`);
  for (const n of series.incomplete) ui.say(`incomplete: ${n}`);
  for (const n of series.notes) ui.say(`note: ${n}`);
}

function toJson(series: Series) {
  return {
    schemaVersion: 1,
    branch: series.branch,
    base: series.base,
    tip: series.tip,
    treeId: series.treeId,
    set: series.set,
    version: series.version,
    changeId: series.changeId,
    split: series.split,
    subject: forDisplay(series.cover.subject),
    blurb: forDisplay(series.cover.blurb),
    patches: series.patches.map((p) => ({
      number: p.number,
      subject: forDisplay(p.subject),
      file: p.file,
      commit: p.commit,
      treeId: p.treeId,
      author: `${forDisplay(p.author.name)} <${forDisplay(p.author.email)}>`,
      messageId: p.messageId,
      files: [...new Set(p.units.map((u) => forDisplay(u.path)))],
      hunks: p.units.map((u) => u.id),
      added: p.units.reduce((s, u) => s + u.added, 0),
      removed: p.units.reduce((s, u) => s + u.removed, 0),
      portNote: p.portNote === null ? null : forDisplay(p.portNote),
    })),
    recipients: series.recipients,
    recipientSource: series.recipientSource,
    checks: series.checks,
    previous: series.previous,
    changeLog: series.changeLog,
    unreadable: series.unreadable,
    incomplete: series.incomplete,
    notes: series.notes,
    dir: series.dir,
    ref: series.ref,
    planFile: series.planFile,
    coverFile: series.coverFile,
  };
}
