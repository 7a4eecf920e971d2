import type { FileIndex } from '../kernel-index/types';

/**
 * The conditions under which a line of a file is compiled, outermost first. The include guard of a header is left out: it
 * says nothing about the line.
 */
export function conditionsAt(index: FileIndex, line: number): string[] {
  const stack: { from: number; condition: string }[] = [];
  for (const group of index.conditionals) {
    const first = group.branches[0];
    if (!first || line <= first.line || line > group.endLine) continue;
    let holding = first;
    for (const branch of group.branches) if (branch.line < line) holding = branch;
    if (isIncludeGuard(first.condition)) continue;
    stack.push({ from: first.line, condition: holding.condition });
  }
  return stack.sort((a, b) => a.from - b.from).map((s) => s.condition);
}

/**
 * The first conditional that holds the one place and not the other, or holds them in different branches; null when a guard
 * may open at the one and close at the other. Else its `#else` would be taken for that of the other conditional.
 */
export function conditionalBetween(index: FileIndex, from: number, to: number): string | null {
  for (const group of index.conditionals) {
    const first = group.branches[0];
    if (!first) continue;
    const branchAt = (line: number) =>
      line <= first.line || line > group.endLine ? null : group.branches.filter((b) => b.line < line).pop();
    if (branchAt(from) !== branchAt(to)) return first.condition;
  }
  return null;
}

function isIncludeGuard(condition: string): boolean {
  return /^!\s*(?:defined\s*\(?\s*)?_*[A-Z0-9_]*_H_*\)?$/.test(condition);
}

/** Conditions that mark the mode of a build of shared code, not a choice: same code under them is the same code. */
const BUILD_MODES = /__KVM_(NVHE|VHE)_HYPERVISOR__/;

/** What the target's conditions have more, and less, than the base's; empty when the line is compiled alike. */
export function conditionChange(base: readonly string[], target: readonly string[]): string[] {
  const plain = (c: string) => c.replace(/\s+/g, '');
  const left = base.map(plain);
  const change: string[] = [];
  for (const condition of target) {
    const at = left.indexOf(plain(condition));
    if (at >= 0) left.splice(at, 1);
    else if (!BUILD_MODES.test(condition)) change.push(`now under '${condition}'`);
  }
  for (const condition of left) change.push(`no longer under '${condition}'`);
  return change;
}
