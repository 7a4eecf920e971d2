import { dispatchOf, handlerOf, stubOf, type Hypercall, type HypercallTable } from './types';

/** One way in which two tables differ. */
export interface Difference {
  /** Name of the number, or null for the interface as a whole. */
  hypercall: string | null;
  /** What differs: `number`, `stub`, `arguments`, `returns`, `handler` … */
  what: string;
  a: string | null;
  b: string | null;
}

/** Everything in which two sets' interfaces differ, by number name. Places are not compared. */
export function differences(a: HypercallTable, b: HypercallTable): Difference[] {
  const found: Difference[] = [];
  const compare = (
    hypercall: string | null,
    one: Record<string, string | null>,
    two: Record<string, string | null>,
  ) => {
    for (const what of Object.keys({ ...one, ...two })) {
      const [x, y] = [one[what] ?? null, two[what] ?? null];
      if (x !== y) found.push({ hypercall, what, a: x, b: y });
    }
  };
  compare(null, interfaceOf(a), interfaceOf(b));
  const names = new Set([...a.hypercalls, ...b.hypercalls].map((h) => h.name));
  const find = (t: HypercallTable, name: string) => t.hypercalls.find((h) => h.name === name) ?? null;
  const number = (name: string) => (find(a, name) ?? find(b, name))!.number;
  for (const name of [...names].sort((x, y) => number(x) - number(y) || (x < y ? -1 : 1))) {
    const [one, two] = [find(a, name), find(b, name)];
    if (one && two) compare(name, facts(one), facts(two));
    else
      found.push({
        hypercall: name,
        what: 'hypercall',
        a: one && `number ${one.number}`,
        b: two && `number ${two.number}`,
      });
  }
  return found;
}

function interfaceOf(table: HypercallTable): Record<string, string | null> {
  const { option, header, primitive, dispatcher } = table.interface;
  return {
    option,
    header,
    primitive,
    dispatcher: dispatcher && dispatcher.name,
    'dispatcher style': dispatcher && dispatcher.style,
    'numbers in assembly': table.asmCalls.map((c) => `${c.name} ${c.number}`).join(', ') || null,
  };
}

/** A hypercall as text, field by field. */
export function facts(call: Hypercall): Record<string, string | null> {
  const handler = handlerOf(call);
  const dispatch = dispatchOf(call);
  const list = (items: readonly { name: string; type: string }[]) =>
    items.map((p) => `${p.type}${p.type.endsWith('*') ? '' : ' '}${p.name}`).join(', ') || 'void';
  return {
    number: String(call.number),
    stub: call.stub,
    'stub style': stubOf(call)?.style ?? null,
    'stub parameters': call.stub === null ? null : list(stubOf(call)!.parameters),
    'direct call sites': call.callSites.map((s) => `${s.function ?? 'file'} in ${s.path}`).join(', ') || null,
    arguments: list(call.args),
    returns: call.returns,
    handler: call.handler,
    'handler parameters': handler && list(handler.parameters),
    'handler returns': handler && handler.returns,
    dispatched: dispatch ? 'yes' : 'no',
    'registers given':
      dispatch &&
      (dispatch.registers.map((r) => (r.register === null ? r.value : `x${r.register}`)).join(', ') || 'none'),
    result: dispatch && (dispatch.result === 'constant' ? `constant ${dispatch.value}` : dispatch.result),
  };
}
