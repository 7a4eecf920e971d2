import { typeInfo } from './c-types';
import type { Era } from './era';
import {
  dispatchOf,
  handlerOf,
  stubOf,
  type Finding,
  type FindingKind,
  type Hypercall,
  type HypercallTable,
  type Place,
} from './types';

/** x0 holds the number; x1 to x7 are what the procedure call standard and SMCCC 1.1 pass in registers. */
export const MAX_ARGUMENTS = 7;

const SEVERITY: Record<FindingKind, Finding['severity']> = {
  'duplicate-number': 'error',
  'stub-range': 'error',
  'smccc-number': 'error',
  'no-caller': 'warning',
  'no-handler': 'error',
  'not-dispatched': 'error',
  'dispatched-twice': 'error',
  'unknown-number': 'error',
  'argument-count': 'error',
  'argument-type': 'error',
  'argument-sign': 'info',
  'argument-order': 'warning',
  'too-many-arguments': 'error',
  'raw-pointer': 'warning',
  'lost-result': 'warning',
  gap: 'info',
};

/**
 * What does not fit together in a table, and against a target's own numbers. One cause gives one finding: what follows
 * from it is not reported again.
 */
export function checkTable(table: HypercallTable, era: Era | null): Finding[] {
  const findings: Finding[] = [];
  const add = (
    kind: FindingKind,
    call: Hypercall | null,
    place: Place | null,
    message: string,
    related: (Place | null)[] = [],
  ) =>
    findings.push({
      kind,
      severity: SEVERITY[kind],
      hypercall: call?.name ?? null,
      message,
      path: place?.path ?? null,
      line: place?.line ?? null,
      related: related.filter((p): p is Place => p !== null),
    });

  const displaced = checkNumbers(table, era, add);
  for (const call of table.hypercalls) {
    const caller = call.stub !== null || call.callSites.length > 0;
    const dispatch = dispatchOf(call);
    const handler = handlerOf(call);
    if (!caller && !dispatch) {
      add('no-caller', call, call.place, `'${call.name}' (${call.number}) has no stub, no call site and no handler`);
      continue;
    }
    if (!caller) {
      add('no-caller', call, call.place, `'${call.name}' (${call.number}) has neither a stub nor a call site`, [
        dispatch!.place,
      ]);
      continue;
    }
    if (!dispatch) {
      const at = call.stubDetail?.place ?? call.callSites[0] ?? call.place;
      if (handler) {
        add(
          'not-dispatched',
          call,
          handler.place ?? call.place,
          `'${call.handler}' is never dispatched: the dispatcher does not know '${call.name}' (${call.number})`,
          [at, call.place],
        );
      } else {
        add(
          'no-handler',
          call,
          call.place ?? at,
          `'${call.name}' (${call.number}) has no handler: the dispatcher does not know it`,
          [at],
        );
      }
      continue;
    }
    if (!handler) {
      if (call.dispatch?.result === 'none')
        add('no-handler', call, dispatch.place, `the dispatcher does nothing for '${call.name}'`, [call.place]);
      continue;
    }
    // A handler that was looked for and not found has been reported, and has no parameters to compare.
    if (call.handlerDetail !== null || call.place === null) checkArguments(call, add);
  }
  checkGaps(table, displaced, add);
  return sortFindings(findings);
}

type Add = (
  kind: FindingKind,
  call: Hypercall | null,
  place: Place | null,
  message: string,
  related?: (Place | null)[],
) => void;

/** Gives the names whose number is wrong: they leave a gap where they belong. */
function checkNumbers(table: HypercallTable, era: Era | null, add: Add): Set<string> {
  const displaced = new Set<string>();
  const taken = new Map<number, { name: string; place: Place | null }>();
  for (const call of table.asmCalls) taken.set(call.number, call);
  // In the order of definition, so that the second one is the culprit.
  const inOrder = [...table.hypercalls].sort(
    (a, b) => (a.place?.path ?? '￿').localeCompare(b.place?.path ?? '￿') || (a.place?.line ?? 0) - (b.place?.line ?? 0),
  );
  for (const call of inOrder) {
    const other = taken.get(call.number);
    if (other) {
      add(
        'duplicate-number',
        call,
        call.place,
        `'${call.name}' has number ${call.number}, which '${other.name}' has already`,
        [other.place],
      );
      displaced.add(call.name);
      continue;
    }
    taken.set(call.number, call);
    if (era?.stubRange && call.number < era.stubRange.end) {
      const { path, line, end } = era.stubRange;
      add(
        'stub-range',
        call,
        call.place,
        `'${call.name}' has number ${call.number}; numbers below ${end} belong to the hyp stub of the target`,
        [{ path, line }],
      );
      displaced.add(call.name);
      continue;
    }
    const clash = smcccClash(call, era);
    if (clash) {
      add('smccc-number', call, call.place, clash.message, [clash.place]);
      displaced.add(call.name);
    }
  }
  return displaced;
}

const FAST_CALL = 0x80000000;
const OWNERS = [
  'Arm architecture',
  'CPU',
  'SiP',
  'OEM',
  'standard secure (PSCI)',
  'standard hypervisor',
  'vendor hypervisor',
];

/** A number in the range of SMCCC function ids must be the vendor hypervisor's, and free in the target. */
function smcccClash(call: Hypercall, era: Era | null): { message: string; place: Place | null } | null {
  const sameSpace = call.name.startsWith('__KVM_HOST_SMCCC_FUNC_') && call.number < FAST_CALL;
  if (call.number < FAST_CALL && !sameSpace) return null;
  const owner = (call.number >>> 24) & 0x3f;
  if (!sameSpace && owner !== 6) {
    const name = OWNERS[owner] ?? `owner ${owner}`;
    return {
      message: `'${call.name}' has number 0x${call.number.toString(16)}, an SMCCC function id of the ${name} range`,
      place: null,
    };
  }
  const id = sameSpace ? call.number : call.number & 0xffff;
  for (const [name, known] of era?.smccc ?? []) {
    if (known.number !== id || name === call.name) continue;
    const number = sameSpace ? `${id}` : `0x${call.number.toString(16)}`;
    return {
      message: `'${call.name}' has number ${number}, which is '${name}' in the target`,
      place: { path: known.path, line: known.line },
    };
  }
  return null;
}

function checkArguments(call: Hypercall, add: Add): void {
  const stub = stubOf(call);
  const handler = handlerOf(call)!;
  const dispatch = dispatchOf(call)!;
  const at = stub?.place ?? call.callSites[0] ?? call.place;
  const who = call.stub !== null ? `'${call.stub}'` : `the call in '${call.callSites[0]?.function ?? 'a file'}'`;
  const passed = call.args.length;
  if (passed > MAX_ARGUMENTS) {
    add('too-many-arguments', call, at, `${who} passes ${passed} arguments; ${MAX_ARGUMENTS} fit into registers`, [
      handler.place,
    ]);
    return;
  }
  for (const site of call.callSites) {
    if (site.passes.length === passed) continue;
    add(
      'argument-count',
      call,
      site,
      `this call of '${call.name}' passes ${site.passes.length} arguments, ${who} passes ${passed}`,
      [stub?.place ?? null],
    );
  }
  const used = dispatch.registers.flatMap((r) => (r.register ? [r.register] : []));
  const highest = Math.max(0, ...used);
  const taken = handler.parameters.length;
  if (dispatch.registers.length !== taken) {
    add(
      'argument-count',
      call,
      dispatch.place ?? handler.place,
      `the dispatcher gives '${call.handler}' ${dispatch.registers.length} arguments; it takes ${taken}`,
      [handler.place, at],
    );
    return;
  }
  if (highest > passed || new Set(used).size < passed) {
    const detail =
      highest > passed
        ? `the handler is given x${highest}, which nobody sets`
        : `the handler takes ${new Set(used).size}`;
    add('argument-count', call, at, `${who} passes ${passed} ${passed === 1 ? 'argument' : 'arguments'}; ${detail}`, [
      dispatch.place,
      handler.place,
    ]);
    return;
  }
  const order = outOfOrder(call, used);
  if (order) {
    add(
      'argument-order',
      call,
      dispatch.place ?? handler.place,
      `'${call.handler}' gets the arguments of ${who} in another order: ${order}`,
      [at, handler.place],
    );
    return;
  }
  dispatch.registers.forEach((given, i) => {
    const register = given.register ?? 0;
    const host = call.args[register - 1];
    const own = handler.parameters[i]!;
    if (!host) return;
    const a = typeInfo(host.type);
    const b = typeInfo(own.type);
    const cast = given.cast === null ? null : typeInfo(given.cast);
    const name = `argument ${register} of '${call.name}'`;
    if (a?.pointer && b?.pointer) {
      const bare = call.stub === null || stub!.passes[register - 1]?.replace(/^\([^()]*\)\s*/, '') === host.name;
      if (bare && given.conversion === null && !handler.converts.includes(own.name)) {
        add(
          'raw-pointer',
          call,
          at,
          `${name} is the host's pointer '${host.name}', which EL2 gets without conversion`,
          [dispatch.place, handler.place],
        );
        return;
      }
    }
    if (!a || !b) {
      // Types that only the set knows can be compared by name alone.
      return;
    }
    if (a.pointer && !b.pointer && b.bits < 64) {
      add(
        'argument-type',
        call,
        at,
        `${name} is the pointer '${host.type.trim()}' on the host and '${own.type}' in '${call.handler}'`,
        [handler.place],
      );
      return;
    }
    if (a.pointer || b.pointer) {
      if (
        a.pointer &&
        given.conversion === null &&
        call.stub !== null &&
        stub!.passes[register - 1] === host.name &&
        !handler.converts.includes(own.name)
      ) {
        add(
          'raw-pointer',
          call,
          at,
          `${name} is the host's pointer '${host.name}', which EL2 gets without conversion`,
          [dispatch.place, handler.place],
        );
      }
      return;
    }
    if (a.bits !== b.bits) {
      const what = a.bits > b.bits ? `loses its upper ${a.bits - b.bits} bits` : `has undefined upper bits`;
      // A narrow host type is extended by a cast in the dispatcher.
      if (a.bits < b.bits && cast && cast.bits <= a.bits) return;
      add(
        'argument-type',
        call,
        at,
        `${name} is '${host.type}' on the host and '${own.type}' in '${call.handler}': it ${what}`,
        [handler.place, dispatch.place],
      );
      return;
    }
    if (cast && cast.bits < a.bits) {
      add(
        'argument-type',
        call,
        dispatch.place ?? at,
        `${name} is '${host.type}' on both sides; the dispatcher's cast to '${given.cast}' cuts it`,
        [at, handler.place],
      );
      return;
    }
    if (a.signed !== b.signed) {
      add('argument-sign', call, at, `${name} is '${host.type}' on the host and '${own.type}' in '${call.handler}'`, [
        handler.place,
      ]);
    }
  });
  checkResult(call, at, add);
}

/** Registers in another order, or parameters of the same names at other places. */
function outOfOrder(call: Hypercall, used: readonly number[]): string | null {
  if (used.some((r, i) => i > 0 && r <= used[i - 1]!)) return used.map((r) => `x${r}`).join(', ');
  const host = call.args.map((a) => a.name);
  const own = (handlerOf(call)?.parameters ?? []).map((p) => p.name);
  const moved = own.filter((name, i) => host.includes(name) && host.indexOf(name) !== used[i]! - 1);
  return moved.length > 1 ? moved.join(', ') : null;
}

function checkResult(call: Hypercall, at: Place | null, add: Add): void {
  const dispatch = dispatchOf(call)!;
  const handler = handlerOf(call)!;
  const wants = call.returns !== 'void';
  if (wants && dispatch.result === 'none') {
    const direct = call.stub === null ? 'the caller' : `'${call.stub}'`;
    add(
      'lost-result',
      call,
      at,
      `${direct} gives back '${call.returns}', but the dispatcher returns nothing for '${call.name}'`,
      [dispatch.place, handler.place],
    );
    return;
  }
  const host = typeInfo(call.returns);
  const own = typeInfo(handler.returns);
  if (
    dispatch.result === 'handler' &&
    !handler.macro &&
    stubOf(call)?.answer == null &&
    // A status is an int on the host, whatever EL2 makes of it.
    call.returns !== 'int' &&
    host &&
    own &&
    host.bits < own.bits &&
    call.stub !== null
  ) {
    add(
      'lost-result',
      call,
      at,
      `'${call.handler}' gives '${handler.returns}', of which '${call.stub}' keeps '${call.returns}'`,
      [handler.place],
    );
  }
}

/** Free numbers between used ones; not those that a misplaced number has left. */
function checkGaps(table: HypercallTable, displaced: ReadonlySet<string>, add: Add): void {
  const all = [...table.hypercalls.filter((h) => !displaced.has(h.name)), ...table.asmCalls].sort(
    (a, b) => a.number - b.number,
  );
  let excuses = displaced.size;
  for (let i = 1; i < all.length; i++) {
    const [before, after] = [all[i - 1]!, all[i]!];
    const free = after.number - before.number - 1;
    if (free <= 0 || free > 0xffff) continue;
    if (free <= excuses) {
      excuses -= free;
      continue;
    }
    const range =
      free === 1 ? `number ${before.number + 1} is` : `numbers ${before.number + 1} to ${after.number - 1} are`;
    add('gap', null, after.place, `${range} free, between '${before.name}' and '${after.name}'`, [before.place]);
  }
}

const RANK = { error: 0, warning: 1, info: 2 };

/** Errors first, then by place. */
export function sortFindings(findings: readonly Finding[]): Finding[] {
  return [...findings].sort(
    (a, b) =>
      RANK[a.severity] - RANK[b.severity] ||
      compare(a.path ?? '', b.path ?? '') ||
      (a.line ?? 0) - (b.line ?? 0) ||
      compare(a.kind, b.kind) ||
      compare(a.message, b.message),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
