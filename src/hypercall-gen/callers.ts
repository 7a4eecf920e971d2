import type { SyntaxNode } from '../io/parser';
import type { Definition, Parameter } from '../kernel-index/types';
import type { NumberedCall, Numbers } from './numbers';
import { bare, enclosing, nameLine, oneLine, placeOf, Sources, type Source } from './sources';
import type { CallSite, StubDetail } from './types';

/** A host stub: a function of the set that does nothing but make one hypercall. */
export interface Stub {
  number: string;
  name: string;
  returns: string;
  detail: StubDetail;
  /** C type of each passed expression, where the stub itself tells. */
  types: (string | null)[];
}

/** A call of a hypercall from code that does other things, too. */
export interface DirectCall {
  number: string;
  site: CallSite;
  types: (string | null)[];
  /** Type of the variable that takes the result. */
  resultType: string | null;
}

/** Tells stubs from direct calls. */
export function findCallers(sources: Sources, numbers: Numbers): { stubs: Stub[]; direct: DirectCall[] } {
  const stubs: Stub[] = [];
  const direct: DirectCall[] = [];
  const perFunction = new Map<Definition, number>();
  const where = numbers.calls.map((call) => ({ call, inside: enclosing(call.source, call.call.start) }));
  for (const { inside } of where) if (inside) perFunction.set(inside, (perFunction.get(inside) ?? 0) + 1);
  for (const { call, inside } of where) {
    const alone = inside !== null && perFunction.get(inside) === 1;
    const stub = alone ? asStub(sources, call, inside) : null;
    if (stub) stubs.push(stub);
    else direct.push(asDirect(sources, call, inside));
  }
  return { stubs, direct };
}

function asStub(sources: Sources, call: NumberedCall, inside: Definition): Stub | null {
  const { source } = call;
  if (!inside.body || !inside.signature || !Sources.wrote(source, inside.startLine)) return null;
  const { parameters } = inside.signature;
  const reached = new Set<string>();
  if (inside.kind === 'macro') {
    const body = bare(oneLine(source.code.slice(inside.body.start, inside.body.end)));
    const expression = oneLine(source.code.slice(call.call.start, call.call.end));
    if (body !== expression || parameters.length === 0) return null;
    for (const word of call.passes.join(' ').match(/\w+/g) ?? []) reached.add(word);
    if (!parameters.every((p) => reached.has(p.name))) return null;
    return {
      number: call.number,
      name: inside.name,
      returns: 'u64',
      detail: {
        style: 'macro',
        parameters: parameters.map((p) => ({ name: p.name, type: 'u64' })),
        passes: call.passes,
        answer: null,
        place: nameLine({ source, definition: inside }),
      },
      types: call.passes.map(() => null),
    };
  }
  const locals = localsOf(sources, source, inside);
  // A parameter counts as passed when an argument mentions it, or a local that was made from it.
  const visit = (text: string) => {
    for (const word of text.match(/[A-Za-z_]\w*/g) ?? []) {
      if (reached.has(word)) continue;
      reached.add(word);
      const local = locals.get(word);
      if (local?.value) visit(local.value);
    }
  };
  call.passes.forEach(visit);
  if (!parameters.every((p) => p.type === 'void' || reached.has(p.name))) return null;
  if (!onlyCalls(sources, source, inside, call)) return null;
  // What a generated stub passes may not depend on the old stub's locals.
  const inlined = call.passes.map((e) => inline(e, locals));
  const detail: StubDetail = {
    style:
      inside.signature.annotations.includes('inline') || inside.signature.annotations.includes('__always_inline')
        ? 'static-inline'
        : inside.signature.annotations.includes('static')
          ? 'static'
          : 'function',
    parameters: parameters.filter((p) => p.type !== 'void' || p.name).map(toArgument),
    passes: inlined,
    answer: answerOf(source, inside, call),
    place: nameLine({ source, definition: inside }),
  };
  const types = call.passes.map((e) => typeOfExpression(e, parameters, locals));
  return { number: call.number, name: inside.name, returns: inside.signature.returns || 'void', detail, types };
}

/** `pa` becomes `virt_to_phys(buf)` when the stub had it in a local; simple types are kept by a cast. */
function inline(expression: string, locals: ReadonlyMap<string, Local>): string {
  const name = bare(expression);
  const local = locals.get(name);
  return local?.value ? inline(local.value, locals) : expression;
}

export function toArgument(p: Parameter, i: number): { name: string; type: string } {
  return { name: p.name || `arg${i + 1}`, type: p.type };
}

function asDirect(sources: Sources, call: NumberedCall, inside: Definition | null): DirectCall {
  const { source } = call;
  const isFunction = inside?.kind === 'function';
  const locals = isFunction ? localsOf(sources, source, inside) : new Map<string, Local>();
  const before = source.code.slice(Math.max(0, call.call.start - 200), call.call.start);
  const assigned = /(?:^|[;{}()\s])([A-Za-z_][\w.>[\]-]*)\s*=\s*(?:\([\w\s*]+\)\s*)?$/.exec(before)?.[1] ?? null;
  const returned = /\breturn\s*(?:\([\w\s*]+\)\s*)?$/.test(before);
  const usesResult = assigned !== null || returned || /[(,!&|=<>+-]\s*$/.test(before);
  const parameters = inside?.signature?.parameters ?? [];
  return {
    number: call.number,
    site: {
      path: source.path,
      line: placeOf(source, call.call.start).line,
      function: isFunction ? inside.name : null,
      passes: call.passes,
      usesResult,
    },
    types: call.passes.map((e) => typeOfExpression(e, parameters, locals)),
    resultType: returned
      ? (inside?.signature?.returns ?? null)
      : assigned
        ? (locals.get(assigned)?.type ?? parameters.find((p) => p.name === assigned)?.type ?? null)
        : null,
  };
}

interface Local {
  type: string;
  /** Initialiser, when there is one. */
  value: string | null;
}

/** Local variables of a function. */
function localsOf(sources: Sources, source: Source, inside: Definition): Map<string, Local> {
  const found = new Map<string, Local>();
  const at = (n: SyntaxNode) => source.text.slice(n.startIndex, n.endIndex);
  const body = inside.body!;
  for (const node of sources
    .tree(source)
    .descendantsOfType('declaration', positionOf(source, body.start), positionOf(source, body.end))) {
    if (node.startIndex < body.start || node.endIndex > body.end) continue;
    const type = node.childForFieldName('type');
    if (!type) continue;
    for (const declarator of node.namedChildren) {
      let d: SyntaxNode | null = declarator;
      let value: string | null = null;
      let stars = '';
      if (d.type === 'init_declarator') {
        const init = d.childForFieldName('value');
        value = init ? oneLine(at(init)) : null;
        d = d.childForFieldName('declarator');
      }
      while (d?.type === 'pointer_declarator') {
        stars += '*';
        d = d.childForFieldName('declarator');
      }
      if (d?.type === 'identifier') found.set(at(d), { type: oneLine(at(type)) + (stars ? ` ${stars}` : ''), value });
    }
  }
  return found;
}

function positionOf(source: Source, offset: number): { row: number; column: number } {
  const before = source.text.slice(0, offset);
  const row = before.split('\n').length - 1;
  return { row, column: offset - (before.lastIndexOf('\n') + 1) };
}

/** The type of an expression that is a parameter, a local, or a cast; null for anything else. */
function typeOfExpression(
  expression: string,
  parameters: readonly Parameter[],
  locals: ReadonlyMap<string, Local>,
): string | null {
  const name = bare(expression);
  const own = parameters.find((p) => p.name === name)?.type ?? locals.get(name)?.type ?? null;
  // A cast of what is narrower, or a pointer, is only there to fit the call: what counts is the value.
  if (own !== null) return own;
  // A plain cast of something unknown tells nothing either.
  return null;
}

/** What a stub gives back, with `ret` for the answer; null for the answer itself, or for nothing. */
function answerOf(source: Source, inside: Definition, call: NumberedCall): string | null {
  const body = inside.body!;
  const code = source.code.slice(body.start, body.end);
  const [from, to] = [call.call.start - body.start, call.call.end - body.start];
  const marked = `${code.slice(0, from)}ret${code.slice(to)}`;
  const returned = /\breturn\b([^;]*);/.exec(marked)?.[1];
  if (returned === undefined) return null;
  // The answer may have gone to a variable first, or into an SMCCC result.
  const variable = /([A-Za-z_]\w*)\s*=\s*(?:\([\w\s*]+\)\s*)?$/.exec(code.slice(0, from))?.[1];
  let text = oneLine(returned);
  if (variable) text = text.replace(new RegExp(`\\b${variable}\\b`, 'g'), 'ret');
  return bare(text) === 'ret' || !/\bret\b/.test(text) ? null : text;
}

/** True when a function does nothing but declare, make the call, look at the answer and return it. */
function onlyCalls(sources: Sources, source: Source, inside: Definition, call: NumberedCall): boolean {
  const body = inside.body!;
  const code = source.code.slice(body.start, body.end);
  if (/\b(if|for|while|do|switch|goto)\b/.test(code) || /^\s*#/m.test(code)) return false;
  const start = call.call.start - body.start;
  const rest = code.slice(0, start) + code.slice(call.call.end - body.start);
  for (const statement of rest.slice(1, -1).split(';')) {
    const text = oneLine(statement);
    if (text === '' || /^return\b/.test(text) || /^(WARN|BUG)(_ON)?(_ONCE)?\b/.test(text)) continue;
    if (/^\w+ ?= ?(\([\w *]+\) ?)*$/.test(text)) continue;
    if (/^\([\w *]+\)$/.test(text)) continue;
    // A declaration: type and name, at most with an initialiser.
    if (/^(?:const |unsigned |struct )*\w+(?: (?:long|int))* ?\**(?: ?\w+)(?: ?=.*)?(?:, ?\w+(?: ?=.*)?)*$/.test(text))
      continue;
    return false;
  }
  void sources;
  return true;
}
