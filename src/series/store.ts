import path from 'node:path';
import { z } from 'zod';
import { inputError } from '../core/errors';
import { forDisplay, fromDisplay, type ByteString } from '../core/text';
import { exists, listFolder, readFile, readFileIfAny, writeFile, writeFolder } from '../io/files';
import type { GitRepo } from '../io/git';

/** One version of the series that was made. */
const Version = z.object({
  version: z.number().int().positive(),
  base: z.string(),
  tip: z.string(),
  treeId: z.string(),
  commits: z.array(z.string()),
  messageIds: z.array(z.string()),
  /** When it went out for real; null when it did not. */
  sent: z.string().nullable(),
});
export type Version = z.infer<typeof Version>;

const State = z.object({
  schemaVersion: z.literal(1),
  /** Names the series over all its versions. */
  changeId: z.string(),
  versions: z.array(Version),
  /** The change log as kport drafted it last, byte for byte: tells a draft from what a person wrote. */
  draft: z.string().default(''),
  /** Hunks of the plan, by id: finds the successor of a hunk whose content has changed. */
  hunks: z.record(z.string(), z.object({ path: z.string(), line: z.number() })),
});
export type State = z.infer<typeof State>;

/** What is kept of a series between runs: plan, cover letter, versions. All of it beside the port, in git's folder. */
export class SeriesStore {
  private constructor(
    readonly dir: string,
    /** The branch, as a path and as part of a ref. */
    readonly name: string,
  ) {}

  /** The store of a branch. With a port of that name it lies in the port's folder. */
  static async open(repo: GitRepo, branch: string): Promise<SeriesStore> {
    const common = (await repo.output(['rev-parse', '--git-common-dir'])).trim();
    const name = branch.replace(/[^\w./+-]/g, '_');
    if (name.split('/').some((p) => p === '' || p === '.' || p === '..')) {
      throw inputError(`'${branch}' is no good name for a series`, 'give --branch a branch or a tag');
    }
    return new SeriesStore(path.join(path.resolve(repo.dir, common), 'kport', 'ports', name, 'series'), name);
  }

  get planFile(): string {
    return path.join(this.dir, 'series.yaml');
  }

  get coverFile(): string {
    return path.join(this.dir, 'cover.txt');
  }

  versionDir(version: number): string {
    return path.join(this.dir, `v${version}`);
  }

  readPlan(): ByteString | null {
    return readFileIfAny(this.planFile);
  }

  writePlan(text: ByteString): void {
    writeFile(this.planFile, text);
  }

  readCover(): ByteString | null {
    return readFileIfAny(this.coverFile);
  }

  writeCover(text: ByteString): void {
    writeFile(this.coverFile, text);
  }

  readState(): State | null {
    const file = path.join(this.dir, 'state.json');
    const text = readFileIfAny(file);
    if (text === null) return null;
    try {
      return State.parse(JSON.parse(forDisplay(text)));
    } catch {
      throw inputError(`'${file}' is damaged`, 'remove it; versions made before are then not known any more');
    }
  }

  writeState(state: State): void {
    writeFile(path.join(this.dir, 'state.json'), fromDisplay(`${JSON.stringify(state, null, 2)}\n`));
  }

  /** The mails of a version; null when they are not there. */
  readMails(version: number): ByteString[] | null {
    const dir = this.versionDir(version);
    if (!exists(dir)) return null;
    return listFolder(dir)
      .filter((f) => f.endsWith('.patch'))
      .map((f) => readFile(path.join(dir, f)));
  }

  writeMails(version: number, mails: readonly { name: string; text: ByteString }[]): Promise<void> {
    return writeFolder(
      this.versionDir(version),
      async (dir) => {
        for (const mail of mails) writeFile(path.join(dir, mail.name), mail.text);
      },
      { replace: true },
    );
  }
}
