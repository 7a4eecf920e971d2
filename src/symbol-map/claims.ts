import type { Evidence } from '../core/outcome';
import type { ByteString } from '../core/text';
import { compareVersions, parseVersion } from '../core/version';
import type { KernelIndex } from '../kernel-index/index';
import type { ChronicleRow } from './chronicle/rows';
import type { FileHeir, MapEntry, SymbolRef } from './types';

/** A row that does not hold in the two kernels at hand. */
export interface IgnoredRow {
  id: string;
  reason: string;
}

/** More steps than any chain of renames has. */
const MAX_STEPS = 8;

/**
 * What the chronicle and the user's own rules say about two kernels. Every row is checked against both before it is
 * believed: its old symbol must be in the base, its new one in the target, one that it calls removed must be gone.
 */
export class Claims {
  /** Rows that apply to the two releases but do not hold in the trees. */
  readonly ignored: IgnoredRow[] = [];
  private readonly bySymbol = new Map<string, ChronicleRow[]>();
  private readonly byFile = new Map<string, ChronicleRow[]>();

  constructor(
    private readonly base: KernelIndex,
    private readonly target: KernelIndex,
    rows: readonly ChronicleRow[],
  ) {
    for (const row of rows) {
      if (row.says === 'context' || row.says === 'added' || !row.from || !this.inRange(row)) continue;
      if (row.from.symbol) {
        for (const name of [row.from.symbol, row.alias]) if (name) push(this.bySymbol, name, row);
      } else if (!row.from.pattern) {
        for (const path of row.from.paths) push(this.byFile, path, row);
      }
    }
  }

  /** Adds what the rows know about a symbol to an entry that was inferred. */
  refine(entry: MapEntry): MapEntry {
    const rows = this.bySymbol.get(entry.from.name) ?? [];
    return rows.reduce((so, row) => this.refineBy(so, row), entry);
  }

  /** Adds what the rows know about a file to its inferred heirs. */
  refineFiles(path: ByteString, heirs: readonly FileHeir[]): FileHeir[] {
    let refined = [...heirs];
    for (const row of this.byFile.get(path) ?? []) {
      const to = row.to?.paths.find((p) => this.target.tree.has(p));
      if (row.says === 'removed' || to === undefined) {
        if (to === undefined && row.to) this.ignore(row, `'${row.to.paths.join("', '")}' is not in the target`);
        continue;
      }
      const known = refined.find((h) => h.path === to);
      const evidence = [...(known?.evidence ?? []), evidenceOf(row)];
      const heir = {
        path: to,
        share: known?.share ?? 0,
        confidence: Math.max(known?.confidence ?? 0, row.own ? 1 : 0.97),
        evidence,
      };
      refined = row.own
        ? [heir, ...refined.filter((h) => h !== known)]
        : known
          ? refined.map((h) => (h === known ? heir : h))
          : [...refined, heir];
    }
    return refined;
  }

  private refineBy(entry: MapEntry, row: ChronicleRow): MapEntry {
    const evidence = [...entry.evidence, evidenceOf(row)];
    const sure = row.own ? 1 : 0.97;
    if (row.says === 'removed') {
      const left = this.find(row.from!.symbol!);
      if (left.some((l) => l.path === entry.from.path))
        return this.ignore(row, `'${row.from!.symbol!}' is still in the target`, entry);
      // What was inferred to take its place may well do so: the row only says that the symbol is gone.
      if (entry.status !== 'removed' && (row.also ?? []).includes(entry.to[0]?.name ?? ''))
        return { ...entry, evidence };
      if (entry.status === 'same' || entry.status === 'moved')
        return this.ignore(row, `'${entry.from.name}' is still in the target`, entry);
      return {
        ...entry,
        status: 'removed',
        to: [],
        confidence: sure,
        evidence,
        changes: [],
      };
    }
    const symbol = row.to?.symbol;
    if (!symbol) return entry;
    const found = this.follow(symbol);
    if (found.length === 0) return this.ignore(row, `'${symbol}' is not in the target`, entry);
    const names = new Set(found.map((f) => f.name));
    const agrees =
      entry.to[0] !== undefined && (names.has(entry.to[0].name) || (row.also ?? []).includes(entry.to[0].name));
    if (agrees && !row.own) return { ...entry, confidence: Math.max(entry.confidence, sure), evidence };
    const best = nearest(found, entry, row.to!.paths);
    const to = [best, ...entry.to.filter((t) => t.name !== best.name || t.path !== best.path)];
    return { ...entry, status: saidStatus(row, entry), to, confidence: sure, evidence };
  }

  /** A symbol of the target, if need be by way of later rows that renamed it again. */
  private follow(symbol: string): SymbolRef[] {
    let name: string | undefined = symbol;
    for (let step = 0; step < MAX_STEPS && name !== undefined; step++) {
      const found = this.find(name);
      if (found.length) return found;
      name = this.bySymbol.get(name)?.find((row) => row.to?.symbol && row.to.symbol !== name)?.to?.symbol;
    }
    return [];
  }

  private find(symbol: string): SymbolRef[] {
    const dot = symbol.indexOf('.');
    if (dot < 0) {
      return this.target.definitions(symbol).map((f) => ({ kind: f.definition.kind, name: symbol, path: f.file.path }));
    }
    const [struct, field] = [symbol.slice(0, dot), symbol.slice(dot + 1)];
    return this.target
      .definitions(struct)
      .filter((f) => f.definition.members.some((m) => m.name === field))
      .map((f) => ({ kind: 'field' as const, name: symbol, path: f.file.path }));
  }

  private inRange(row: ChronicleRow): boolean {
    const at = (v: string) => parseVersion(v)!;
    const [b, t] = [this.base.tree.version, this.target.tree.version];
    if (row.until && compareVersions({ ...b, sublevel: 0, extra: '' }, at(row.until)) > 0) return false;
    return !row.release || compareVersions({ ...t, sublevel: 0, extra: '' }, at(row.release)) >= 0;
  }

  private ignore(row: ChronicleRow, reason: string): undefined;
  private ignore(row: ChronicleRow, reason: string, entry: MapEntry): MapEntry;
  private ignore(row: ChronicleRow, reason: string, entry?: MapEntry): MapEntry | undefined {
    if (!this.ignored.some((i) => i.id === row.id)) this.ignored.push({ id: row.id, reason });
    return entry;
  }
}

function saidStatus({ says }: ChronicleRow, entry: MapEntry): MapEntry['status'] {
  return says === 'context' || says === 'added' ? entry.status : says;
}

function evidenceOf(row: ChronicleRow): Evidence {
  const when = row.release ? `${row.release}: ` : '';
  return { kind: row.own ? 'user-rule' : 'chronicle', text: `${when}${row.note} (${row.id})` };
}

/** The symbol at one of the paths of the row, else where inference looks, else of the same kind, else the first. */
function nearest(found: readonly SymbolRef[], entry: MapEntry, paths: readonly string[]): SymbolRef {
  const { kind } = entry.from;
  return (
    found.find((f) => paths.includes(f.path) && f.kind === kind) ??
    found.find((f) => entry.to.some((t) => t.path === f.path) && f.kind === kind) ??
    found.find((f) => f.kind === kind) ??
    found[0]!
  );
}

function push<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}
