import { messageOf } from '../core/errors';
import type { Check, CheckResult } from './check';
import type { CheckContext } from './context';
import { accounting } from './checks/accounting';
import { conditionals } from './checks/conditionals';
import { guardOff } from './checks/guard-off';
import { guardOn } from './checks/guard-on';
import { includes } from './checks/includes';
import { kbuild } from './checks/kbuild';
import { kconfig } from './checks/kconfig';
import { macros } from './checks/macros';
import { markers } from './checks/markers';
import { parse } from './checks/parse';
import { placement } from './checks/placement';

/** What can be checked without a compiler, cheapest first. */
export const SOURCE_CHECKS: readonly Check[] = [
  markers,
  accounting,
  conditionals,
  parse,
  placement,
  guardOff,
  guardOn,
  includes,
  kconfig,
  kbuild,
  macros,
];

/** The JSON that `kport check --json` prints. Extend, do not break. */
export interface CheckDocument {
  schemaVersion: 1;
  set: string | null;
  target: { name: string; version: string };
  branch: string;
  checks: CheckResult[];
  /** Milliseconds by check. */
  timing: Record<string, number>;
}

/** Runs checks one after the other. A check that breaks is skipped with what it said: it proves nothing. */
export async function runChecks(
  ctx: CheckContext,
  checks: readonly Check[],
  onStart: (name: string) => void = () => undefined,
): Promise<{ results: CheckResult[]; timing: Record<string, number> }> {
  const results: CheckResult[] = [];
  const timing: Record<string, number> = {};
  for (const check of checks) {
    onStart(check.name);
    const begun = performance.now();
    try {
      results.push(await check.run(ctx));
    } catch (error) {
      results.push({
        name: check.name,
        result: 'skipped',
        reason: `the check itself broke: ${messageOf(error)}`,
        findings: [],
      });
    }
    timing[check.name] = Math.round(performance.now() - begun);
  }
  return { results, timing };
}
