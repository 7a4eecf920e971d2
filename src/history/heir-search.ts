import type { WorkItem } from '../core/outcome';
import type { ByteString } from '../core/text';
import type { Found, KernelIndex } from '../kernel-index';
import type { ChronicleRow } from '../symbol-map';
import type { History } from './explain';

type Heir = WorkItem['heirs'][number];

/** A name that more definitions of the target mention says nothing about one of them. */
const RARE = 40;
/** Share of the telling names that an heir must have, when nothing else speaks for it. */
const SHARE = 0.35;
const MOST = 3;
/** New calls of a user of which any may have taken the place of an old one. */
const FEW = 2;

const CODE = new Set(['function', 'macro', 'asm-symbol', 'asm-macro', 'struct', 'variable']);

/** Looks for what has the work of definitions that are gone: by the chronicle, by their users, by what they mention. */
export class HeirSearch {
  private readonly base: KernelIndex;
  private readonly target: KernelIndex;

  constructor({ way }: History) {
    this.base = way.at(0).view.kernel;
    this.target = way.at(way.last).view.kernel;
  }

  /**
   * Best first: rows of the chronicle that hold, definitions that are still there, then what can be inferred.
   *
   * @param rows about these definitions and what they called
   * @param standing what the definitions are in the target, where it has them
   */
  of(
    definitions: readonly { path: ByteString; definition: string }[],
    rows: readonly ChronicleRow[],
    standing: readonly (Heir & { of: string })[],
  ): Heir[] {
    const heirs = new Map<string, Heir>();
    const take = (h: Heir) => {
      const key = `${h.path} ${h.definition}`;
      if (!heirs.has(key)) heirs.set(key, h);
    };
    for (const row of rows) for (const heir of this.byRow(row)) take(heir);
    for (const { path, definition, why } of standing) take({ path, definition, why });
    const gone = definitions.filter((d) => !standing.some((s) => s.of === d.definition));
    const found = gone.flatMap((d) => this.inferred(d.path, d.definition));
    for (const f of found.sort((a, b) => b.score - a.score || (a.heir.path < b.heir.path ? -1 : 1))) {
      if (heirs.size < 2 * MOST) take(f.heir);
    }
    return [...heirs.values()];
  }

  /** Where an heir begins in the target, 1-based; null when only its file is known. */
  lineOf(heir: Heir): number | null {
    const found = this.target.definitions(heir.definition ?? '').find((f) => f.file.path === heir.path);
    return found ? found.definition.startLine + 1 : null;
  }

  /** A row that holds names its heirs: those that the target has. */
  private byRow(row: ChronicleRow): Heir[] {
    const why = `chronicle, ${row.release}: ${row.note}`;
    const symbols = [row.to?.symbol, ...(row.also ?? [])].filter((s) => s !== undefined);
    const found = symbols.flatMap((s) => {
      const places = this.target.definitions(s.slice(0, s.includes('.') ? s.indexOf('.') : undefined));
      const at = places.find((f) => row.to?.paths.includes(f.file.path) && f.definition.kind !== 'prototype');
      const any = at ?? places.find((f) => f.definition.kind !== 'prototype');
      return any ? [{ path: any.file.path, definition: any.definition.name, why }] : [];
    });
    if (found.length) return found.slice(0, MOST);
    const path = row.to?.paths.find((p) => this.target.tree.has(p));
    return path === undefined ? [] : [{ path, definition: null, why }];
  }

  private inferred(path: ByteString, name: string): { heir: Heir; score: number }[] {
    const of = this.base.definitions(name).find((f) => f.file.path === path && f.definition.kind !== 'prototype');
    if (!of) return [];
    const users = this.byUsers(name);
    const words = this.byWords(of);
    const candidates = new Map<string, { found: Found; by: string[]; has: string[]; share: number }>();
    for (const [found, by] of users) candidates.set(keyOf(found), { found, by, has: [], share: 0 });
    for (const { found, has, share } of words) {
      const known = candidates.get(keyOf(found));
      if (known && has.length > 1) Object.assign(known, { has, share });
      else if (share >= SHARE && has.length >= 3) candidates.set(keyOf(found), { found, by: [], has, share });
    }
    return [...candidates.values()]
      .map(({ found, by, has, share }) => {
        const why = [
          by.length ? `${list(by)}, which used '${name}', ${by.length > 1 ? 'use' : 'uses'} it now` : '',
          has.length ? `it mentions ${list(has)} as '${name}' did` : '',
        ].filter(Boolean);
        const heir = { path: found.file.path, definition: found.definition.name, why: `inferred: ${why.join('; ')}` };
        return { heir, score: 2 * share + 0.25 * Math.min(2, by.length) };
      })
      .sort((a, b) => b.score - a.score || (keyOf2(a.heir) < keyOf2(b.heir) ? -1 : 1))
      .slice(0, MOST);
  }

  /** New definitions that users of a name use in its stead. */
  private byUsers(name: string): Map<Found, string[]> {
    const found = new Map<Found, string[]>();
    for (const user of this.base.mentions(name)) {
      const now = this.target.definitions(user.definition.name).find((f) => f.definition.kind === user.definition.kind);
      if (!now || user.definition.name === name) continue;
      const before = new Set([...user.definition.calls, ...user.definition.uses]);
      // Only what is called in the place of a call: a new variable is no heir of a function.
      const fresh = now.definition.calls.filter((c) => !before.has(c) && this.base.definitions(c).length === 0);
      // A user that was rewritten says nothing.
      if (fresh.length > FEW) continue;
      for (const call of fresh) {
        const heir = this.target.definitions(call).find((f) => CODE.has(f.definition.kind));
        if (heir) found.set(heir, [...(found.get(heir) ?? []), user.definition.name]);
      }
    }
    return found;
  }

  /** Definitions that mention now what it mentioned, and that did not before. */
  private byWords(of: Found): { found: Found; has: string[]; share: number }[] {
    const votes = new Map<Found['definition'], { found: Found; has: string[]; weight: number }>();
    let all = 0;
    for (const word of [...of.definition.calls, ...of.definition.uses]) {
      const users = this.target.mentions(word);
      const weight = Math.log(20_000 / (users.length + 1));
      all += weight;
      if (users.length > RARE) continue;
      for (const found of users) {
        if (!CODE.has(found.definition.kind) || this.hadIt(found, word)) continue;
        const vote = votes.get(found.definition) ?? { found, has: [], weight: 0 };
        vote.has.push(word);
        vote.weight += weight;
        votes.set(found.definition, vote);
      }
    }
    return [...votes.values()].map((v) => ({ found: v.found, has: v.has, share: all ? v.weight / all : 0 }));
  }

  private hadIt(found: Found, word: string): boolean {
    return this.base
      .definitions(found.definition.name)
      .some((f) => f.definition.calls.includes(word) || f.definition.uses.includes(word));
  }
}

const keyOf = (f: Found) => `${f.file.path} ${f.definition.name}`;
const keyOf2 = (h: Heir) => `${h.path} ${h.definition}`;

function list(names: readonly string[]): string {
  const shown = [...new Set(names)].slice(0, 4).map((n) => `'${n}'`);
  const more = new Set(names).size - shown.length;
  return `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
