import type { SyntaxNode } from '../io/parser';
import type { Definition } from '../kernel-index/types';
import type { Numbers } from './numbers';
import { bare, nameLine, oneLine, placeOf, type Sources, type Source } from './sources';
import type { Dispatch, Dispatcher, Finding, Place } from './types';

/** A number that the dispatcher knows, with what it does then. */
export interface Branch {
  number: string;
  handler: string | null;
  dispatch: Dispatch;
}

/** The dispatcher as it was read. */
export interface FoundDispatcher {
  dispatcher: Dispatcher;
  branches: Branch[];
  findings: Finding[];
  source: Source;
  definition: Definition;
}

/**
 * Finds the function (or table) of the set that tells the numbers apart, and reads what it does with each. It is the one
 * that knows most numbers; null when none does.
 */
export function findDispatcher(sources: Sources, numbers: Numbers): FoundDispatcher | null {
  let best: { source: Source; definition: Definition; style: Dispatcher['style']; count: number } | null = null;
  for (const source of sources.c) {
    if (![...numbers.macros.keys()].some((n) => source.code.includes(n.replace(/^__\w+?_FUNC_/, '')))) continue;
    for (const definition of source.index.definitions) {
      if (!definition.body && definition.kind !== 'variable') continue;
      if (definition.kind !== 'function' && definition.kind !== 'variable') continue;
      const labels = labelNodes(sources, source, definition, numbers);
      const count = new Set(labels.map((l) => l.number)).size;
      if (count === 0 || (best && best.count >= count)) continue;
      const style = definition.kind === 'variable' ? 'table' : labels[0]!.kind;
      best = { source, definition, style, count };
    }
  }
  if (!best) return null;
  return best.style === 'table'
    ? readTable(sources, numbers, best.source, best.definition)
    : readFunction(sources, numbers, best.source, best.definition, best.style);
}

interface Label {
  kind: 'if-chain' | 'switch' | 'table';
  number: string;
  /** The `if` statement, the `case`, or the initialiser. */
  node: SyntaxNode;
}

/** Everything in a definition that compares with a number. */
function labelNodes(sources: Sources, source: Source, definition: Definition, numbers: Numbers): Label[] {
  const found: Label[] = [];
  const at = (n: SyntaxNode) => source.text.slice(n.startIndex, n.endIndex);
  const visit = (node: SyntaxNode) => {
    if (node.type === 'if_statement') {
      const condition = node.childForFieldName('condition');
      for (const n of condition ? equalities(condition) : []) {
        for (const side of ['left', 'right']) {
          const operand = n.childForFieldName(side);
          const number = operand && numbers.label(at(operand));
          if (number) found.push({ kind: 'if-chain', number, node });
        }
      }
    } else if (node.type === 'case_statement') {
      const value = node.childForFieldName('value');
      const number = value && numbers.label(at(value));
      if (number) found.push({ kind: 'switch', number, node });
    } else if (node.type === 'initializer_pair') {
      const designator = node.namedChildren.find((c) => c.type === 'subscript_designator');
      const number = designator && numbers.label(at(designator).replace(/^\[|\]$/g, ''));
      if (number) found.push({ kind: 'table', number, node });
    } else if (node.type === 'call_expression' && node.parent?.type === 'initializer_list') {
      // HANDLE_FUNC(f): the designator is in the macro.
      const [only, ...more] = argumentsOf(node);
      const number = only && more.length === 0 ? numbers.label(at(only)) : null;
      if (number) found.push({ kind: 'table', number, node });
    }
    for (const child of node.namedChildren) visit(child);
  };
  for (const node of within(sources.tree(source), definition.start, definition.end)) visit(node);
  return found;
}

/** Top-level nodes of a range. */
function within(root: SyntaxNode, start: number, end: number): SyntaxNode[] {
  const out: SyntaxNode[] = [];
  const visit = (node: SyntaxNode) => {
    if (node.endIndex <= start || node.startIndex >= end) return;
    if (node.startIndex >= start && node.endIndex <= end) out.push(node);
    else for (const child of node.namedChildren) visit(child);
  };
  visit(root);
  return out;
}

function equalities(condition: SyntaxNode): SyntaxNode[] {
  return condition.descendantsOfType('binary_expression').filter((n) => n.children.some((c) => c.type === '=='));
}

/** What a name in the dispatcher stands for: a register of the host, or an expression. */
type Env = Map<string, Read | { value: string }>;

/** A register that an expression reads, with the cast and conversion around it. */
interface Read {
  register: number;
  cast: string | null;
  conversion: string | null;
}

class Reader {
  constructor(
    readonly source: Source,
    /** Names that point to the saved registers. */
    readonly frames: Set<string>,
    readonly isFunction: (name: string) => boolean,
  ) {}

  text(node: SyntaxNode): string {
    return oneLine(this.source.text.slice(node.startIndex, node.endIndex));
  }

  mentionsFrame(node: SyntaxNode): boolean {
    return (this.text(node).match(/[A-Za-z_]\w*/g) ?? []).some((w) => this.frames.has(w));
  }

  /** The register that an expression reads, with the cast and conversion around it; null when it reads none. */
  register(node: SyntaxNode, env: Env): Read | null {
    switch (node.type) {
      case 'parenthesized_expression': {
        const inner = node.namedChildren.find((c) => c.type !== 'comment');
        return inner ? this.register(inner, env) : null;
      }
      case 'cast_expression': {
        const inner = node.childForFieldName('value');
        const read = inner && this.register(inner, env);
        const type = node.childForFieldName('type');
        // The outermost cast is what the handler sees.
        return read && { ...read, cast: type ? normalType(this.text(type)) : read.cast };
      }
      case 'identifier': {
        const known = env.get(this.text(node));
        return known && 'register' in known ? known : null;
      }
      case 'subscript_expression': {
        const index = node.childForFieldName('index');
        const of = node.childForFieldName('argument');
        if (!index || !of || !this.mentionsFrame(of) || !/^\d+$/.test(this.text(index))) return null;
        return { register: Number(this.text(index)), cast: null, conversion: null };
      }
      case 'call_expression': {
        const args = argumentsOf(node);
        const numbersIn = args.filter((a) => /^\d+$/.test(this.text(a)));
        if (numbersIn.length === 1 && args.length <= 2 && args.some((a) => this.mentionsFrame(a))) {
          return { register: Number(this.text(numbersIn[0]!)), cast: null, conversion: null };
        }
        if (args.length !== 1) return null;
        const inner = this.register(args[0]!, env);
        return inner && { ...inner, conversion: calleeOf(node, this) ?? inner.conversion };
      }
      default:
        return null;
    }
  }

  /** Takes in `DECLARE_REG(type, name, frame, index)`, which is no C without its macro. */
  declared(code: string, env: Env): void {
    const pattern = /\bDECLARE_REG\w*\s*\(\s*([^,()]+?)\s*,\s*(\w+)\s*,\s*(\w+)\s*,\s*(\d+)\s*\)/g;
    for (const [, type, name, frame, index] of code.matchAll(pattern)) {
      if (this.frames.has(frame!))
        env.set(name!, { register: Number(index), cast: normalType(type!), conversion: null });
    }
  }

  /** Takes in what a declaration or an assignment says. */
  learn(node: SyntaxNode, env: Env): void {
    for (const n of node.descendantsOfType(['init_declarator', 'assignment_expression'])) {
      const left = n.childForFieldName(n.type === 'init_declarator' ? 'declarator' : 'left');
      const right = n.childForFieldName(n.type === 'init_declarator' ? 'value' : 'right');
      if (!left || !right) continue;
      const name = this.text(left).replace(/^\*+\s*/, '');
      if (!/^\w+$/.test(name)) continue;
      const read = this.register(right, env);
      // Another name for the saved registers: `u64 *regs = ctxt->regs.regs`.
      const isPointer = n.type === 'init_declarator' && /^\*/.test(this.text(left));
      if (
        !read &&
        isPointer &&
        this.mentionsFrame(right) &&
        !/\(\s*\w/.test(this.text(right).replace(/\([\w\s*]+\)/, ''))
      ) {
        this.frames.add(name);
      } else if (read) env.set(name, read);
      else env.set(name, { value: this.text(right) });
    }
  }
}

function normalType(type: string): string {
  return oneLine(type).replace(/\s*(\*+)$/, ' $1');
}

function argumentsOf(call: SyntaxNode): SyntaxNode[] {
  return (call.childForFieldName('arguments')?.namedChildren ?? []).filter((c) => c.type !== 'comment');
}

function calleeOf(call: SyntaxNode, reader: Reader): string | null {
  const callee = call.childForFieldName('function');
  return callee?.type === 'identifier' ? reader.text(callee) : null;
}

function readFunction(
  sources: Sources,
  numbers: Numbers,
  source: Source,
  definition: Definition,
  style: Dispatcher['style'],
): FoundDispatcher {
  const frames = new Set<string>();
  const env: Env = new Map();
  const parameters = definition.signature?.parameters ?? [];
  const isFrame = (type: string) => /\*\s*$/.test(type);
  parameters.forEach((p, i) => {
    if (isFrame(p.type)) frames.add(p.name);
    else env.set(p.name, { register: i, cast: null, conversion: null });
  });
  const reader = new Reader(source, frames, (n) => sources.named(n).some((f) => f.definition.kind !== 'macro'));
  reader.declared(source.code.slice(definition.body!.start, definition.body!.end), env);
  const labels = labelNodes(sources, source, definition, numbers).filter((l) => l.kind === style);
  const body = within(sources.tree(source), definition.body!.start, definition.body!.end);
  const top = body.find((n) => n.type === 'compound_statement') ?? null;

  // What stands before the first label is common to all numbers.
  const first = Math.min(...labels.map((l) => l.node.startIndex));
  const preamble: string[] = [];
  let chain: SyntaxNode | null = null;
  for (const statement of top?.namedChildren ?? []) {
    if (statement.endIndex > first) {
      chain ??= statement;
      continue;
    }
    if (statement.type === 'comment') continue;
    reader.learn(statement, env);
    if (statement.type === 'expression_statement' && isPreamble(statement, reader))
      preamble.push(reader.text(statement));
  }
  const frame = parameters.find((p) => isFrame(p.type)) ?? null;
  const writers = resultWriters(labels, reader);
  const branches: Branch[] = [];
  const findings: Finding[] = [];
  const seen = new Map<string, Place>();
  for (const label of labels) {
    const place = placeOf(source, label.node.startIndex);
    const before = seen.get(label.number);
    if (before) {
      findings.push({
        kind: 'dispatched-twice',
        severity: 'error',
        hypercall: label.number,
        message: `'${definition.name}' tells '${label.number}' apart twice; the second branch never runs`,
        ...place,
        related: [before],
      });
      continue;
    }
    seen.set(label.number, place);
    branches.push(readBranch(label, bodyOf(label), new Map(env), reader, writers, style, place));
  }
  for (const { dispatch } of branches) {
    // The generated dispatcher does not include the set's headers: a name becomes its value.
    const constant = dispatch.value === null ? null : numbers.valueOf(dispatch.value);
    if (constant !== null) dispatch.value = String(constant);
  }
  findings.push(...unknownLabels(numbers, source, definition, reader, labels));
  const unknown = (chain ? unknownBody(chain, style, labels, reader) : []).filter((s) => !/^(break|return)\b/.test(s));
  const members = frame ? registersOf(sources, frame.type) : null;
  return {
    source,
    definition,
    branches,
    findings,
    dispatcher: {
      name: definition.name,
      place: nameLine({ source, definition }),
      style,
      frame: frame && { name: frame.name, type: frame.type, registers: members ?? 31 },
      parameters: [],
      numberName: [...env].find(([, v]) => 'register' in v && v.register === 0)?.[0] ?? 'nr',
      preamble,
      unknown,
      rest: chain && top ? restBehind(chain, top, reader) : null,
      declarations: [],
      calledFrom: [],
      replaces: false,
    },
  };
}

/** A call for its effect, not a register access and no trace output. */
function isPreamble(statement: SyntaxNode, reader: Reader): boolean {
  const call = statement.namedChildren[0];
  return call?.type === 'call_expression' && !/"/.test(reader.text(call)) && calleeOf(call, reader) !== null;
}

/** Registers of the frame: the array member of its struct. */
function registersOf(sources: Sources, type: string): number | null {
  const tag = /struct\s+(\w+)/.exec(type)?.[1];
  if (!tag) return null;
  for (const { source, definition } of sources.named(tag)) {
    if (definition.kind !== 'struct' || !definition.body) continue;
    const m = /\bregs\s*\[\s*(\d+)\s*\]/.exec(source.code.slice(definition.body.start, definition.body.end));
    if (m) return Number(m[1]);
  }
  return null;
}

/** The statements that belong to a label. */
function bodyOf(label: Label): SyntaxNode[] {
  const { node } = label;
  if (label.kind === 'if-chain') {
    const consequence = node.childForFieldName('consequence');
    return consequence ? statementsOf(consequence) : [];
  }
  // `case A: case B: …` share the body of the last one.
  let at: SyntaxNode | null = node;
  while (at) {
    const value = at.childForFieldName('value');
    const own: SyntaxNode[] = at.namedChildren
      .filter((c) => c.type !== 'comment' && c.id !== value?.id)
      .flatMap(statementsOf);
    if (own.length) return own;
    do at = at.nextNamedSibling;
    while (at && at.type === 'comment');
    if (at?.type !== 'case_statement') return [];
  }
  return [];
}

function statementsOf(node: SyntaxNode): SyntaxNode[] {
  return node.type === 'compound_statement' ? node.namedChildren.filter((c) => c.type !== 'comment') : [node];
}

/** Functions that several branches call with a literal 0 and a value: they write the host's x0. */
function resultWriters(labels: readonly Label[], reader: Reader): Set<string> {
  const count = new Map<string, number>();
  for (const label of labels) {
    for (const statement of bodyOf(label)) {
      for (const call of statement.descendantsOfType('call_expression')) {
        const name = calleeOf(call, reader);
        const args = argumentsOf(call);
        const plain = args.filter((a) => !reader.frames.has(reader.text(a)));
        if (!name || plain.length !== 2 || reader.text(plain[0]!) !== '0') continue;
        if (call.parent?.type !== 'expression_statement') continue;
        count.set(name, (count.get(name) ?? 0) + 1);
      }
    }
  }
  return new Set([...count].filter(([name, n]) => n > 1 || /reg|ret/i.test(name)).map(([name]) => name));
}

function readBranch(
  label: Label,
  body: readonly SyntaxNode[],
  env: Env,
  reader: Reader,
  writers: ReadonlySet<string>,
  style: Dispatcher['style'],
  place: Place,
): Branch {
  interface Candidate {
    name: string;
    registers: Dispatch['registers'];
    score: number;
    /** Variable that the value goes to; '' when it goes somewhere directly. */
    into: string | null;
  }
  const candidates: Candidate[] = [];
  let result: Dispatch['result'] = 'none';
  let value: string | null = null;
  const written: SyntaxNode[] = [];
  for (const statement of body) {
    reader.learn(statement, env);
    for (const call of statement.descendantsOfType('call_expression')) {
      const name = calleeOf(call, reader);
      if (name === null) continue;
      const args = argumentsOf(call);
      if (writers.has(name)) {
        written.push(args.filter((a) => !reader.frames.has(reader.text(a)))[1]!);
        continue;
      }
      // A register access or conversion inside another call is no handler.
      if (reader.register(call, env) && !isStatement(call)) continue;
      if (/^DECLARE_/.test(name)) continue;
      const registers = args.map((a) => reader.register(a, env));
      const given = registers.filter((r) => r !== null);
      const text = reader.text(call);
      let score = given.length * 10 + (isStatement(call) ? 2 : 1);
      if (/"/.test(text)) score -= 100;
      // With arguments that are no registers it is more likely a helper.
      score -= (args.length - given.length) * 3;
      const into = targetOf(call, reader);
      if (into !== null) score += 5;
      candidates.push({
        name,
        registers: registers.map((r, i) =>
          r
            ? { ...r, value: null }
            : { register: null, value: valueOf(args[i]!, reader, env), cast: null, conversion: null },
        ),
        score,
        into,
      });
    }
    for (const assignment of statement.descendantsOfType('assignment_expression')) {
      const left = assignment.childForFieldName('left');
      const right = assignment.childForFieldName('right');
      if (!left || !right) continue;
      const target = left.type === 'subscript_expression' ? reader.register(left, new Map()) : null;
      if ((target && target.register <= 1) || (left.type === 'call_expression' && reader.register(left, new Map()))) {
        if (!/^SMCCC_RET_/.test(reader.text(right))) written.push(right);
      }
    }
    for (const back of [statement, ...statement.descendantsOfType('return_statement')]) {
      if (back.type === 'return_statement' && back.namedChildren[0]) written.push(back.namedChildren[0]);
    }
  }
  candidates.sort((a, b) => b.score - a.score);
  const best = candidates.find((c) => c.score > 0) ?? null;
  for (const node of written) {
    const text = bare(reader.text(node)).replace(/\s+/g, '');
    const isCall = node.descendantsOfType('call_expression').concat(node.type === 'call_expression' ? [node] : []);
    if (best && (text === best.into || isCall.some((c) => calleeOf(c, reader) === best.name))) {
      result = 'handler';
      value = null;
      break;
    }
    if (/^-?\w+$/.test(text)) {
      const known = env.get(text);
      result = 'constant';
      value = known && 'value' in known ? known.value : text;
    }
  }
  // `ret = f(…); break;` with one write behind the switch: the value goes back, too.
  if (written.length === 0 && best?.into && sharedResult(label, reader, best.into)) result = 'handler';
  return {
    number: label.number,
    handler: best?.name ?? null,
    dispatch: { by: style, registers: best?.registers ?? [], result, value, place },
  };
}

/** What is given instead of a register: a local is replaced by what it was set to. */
function valueOf(node: SyntaxNode, reader: Reader, env: Env): string {
  const text = reader.text(node);
  const known = env.get(text);
  return known && 'value' in known ? known.value : text;
}

function isStatement(call: SyntaxNode): boolean {
  let at = call.parent;
  while (at && (at.type === 'cast_expression' || at.type === 'parenthesized_expression')) at = at.parent;
  return at !== null && /^(expression_statement|assignment_expression|init_declarator|return_statement)$/.test(at.type);
}

/** The variable that takes a call's value. */
function targetOf(call: SyntaxNode, reader: Reader): string | null {
  let at = call.parent;
  while (at && (at.type === 'cast_expression' || at.type === 'parenthesized_expression')) at = at.parent;
  if (at?.type === 'return_statement') return '';
  if (at?.type === 'argument_list') return '';
  const left =
    at?.type === 'assignment_expression'
      ? at.childForFieldName('left')
      : at?.type === 'init_declarator'
        ? at.childForFieldName('declarator')
        : null;
  return left ? reader.text(left).replace(/^\*+\s*/, '') : null;
}

/** Whether what stands behind the switch or chain gives a variable back to the host. */
function sharedResult(label: Label, reader: Reader, variable: string): boolean {
  let at: SyntaxNode | null = label.node;
  while (
    at &&
    at.type !== 'switch_statement' &&
    !(at.type === 'if_statement' && at.parent?.type === 'compound_statement')
  )
    at = at.parent;
  for (let next = at?.nextNamedSibling; next; next = next.nextNamedSibling) {
    const text = reader.text(next);
    if (new RegExp(`\\b${variable}\\b`).test(text) && /\[|\breturn\b|\(/.test(text)) return true;
  }
  return false;
}

/** `case X:` or `== X` for something that looks like a number of the family but is none. */
function unknownLabels(
  numbers: Numbers,
  source: Source,
  definition: Definition,
  reader: Reader,
  labels: readonly Label[],
): Finding[] {
  const prefixes = new Set([...numbers.macros.keys()].map((n) => /^_*[A-Za-z]+_/.exec(n)?.[0] ?? n));
  const selectors = new Set<string>();
  for (const label of labels) {
    const holder = label.kind === 'switch' ? ancestor(label.node, 'switch_statement') : label.node;
    const condition = holder?.childForFieldName('condition');
    if (condition)
      for (const w of reader.text(condition).match(/[A-Za-z_]\w*/g) ?? []) if (!numbers.macros.has(w)) selectors.add(w);
  }
  const findings: Finding[] = [];
  const code = source.code.slice(definition.body!.start, definition.body!.end);
  for (const m of code.matchAll(/\bcase\s+([A-Za-z_]\w*)\s*:|(\b\w+)\s*==\s*([A-Za-z_]\w*)\b/g)) {
    const name = (m[1] ?? m[3])!;
    if (m[2] !== undefined && !selectors.has(m[2])) continue;
    if (numbers.label(name) !== null || ![...prefixes].some((p) => name.startsWith(p))) continue;
    findings.push({
      kind: 'unknown-number',
      severity: 'error',
      hypercall: name,
      message: `'${definition.name}' dispatches '${name}', which the set does not define`,
      ...placeOf(source, definition.body!.start + m.index),
      related: [],
    });
  }
  return findings;
}

function ancestor(node: SyntaxNode, type: string): SyntaxNode | null {
  let at: SyntaxNode | null = node;
  while (at && at.type !== type) at = at.parent;
  return at;
}

/** Statements behind the branches that do more than give the answer back. */
function restBehind(chain: SyntaxNode, top: SyntaxNode, reader: Reader): Place | null {
  for (const statement of top.namedChildren) {
    if (statement.startIndex < chain.endIndex || statement.type === 'comment') continue;
    const text = reader.text(statement);
    if (statement.type === 'return_statement' && /^return\b\s*-?\w*;$/.test(text)) continue;
    if (statement.type === 'expression_statement' && (/\[\d+\] =/.test(text) || /\(.*\b0\b.*\)/.test(text))) continue;
    return placeOf(reader.source, statement.startIndex);
  }
  return null;
}

/** Statements of the last `else`, or of `default:`. */
function unknownBody(
  chain: SyntaxNode,
  style: Dispatcher['style'],
  labels: readonly Label[],
  reader: Reader,
): string[] {
  let body: SyntaxNode[] = [];
  if (style === 'switch') {
    const holder = ancestor(labels[0]!.node, 'switch_statement');
    const last = holder?.descendantsOfType('case_statement').find((c) => !c.childForFieldName('value'));
    body = (last?.namedChildren ?? []).filter((c) => c.type !== 'comment').flatMap(statementsOf);
  } else {
    let at: SyntaxNode | null = chain;
    while (at?.type === 'if_statement') {
      const alternative: SyntaxNode | null = at.childForFieldName('alternative');
      const inner: SyntaxNode | null =
        alternative?.type === 'else_clause'
          ? (alternative.namedChildren.find((c) => c.type !== 'comment') ?? null)
          : alternative;
      at = inner;
    }
    if (at && at !== chain) body = statementsOf(at);
  }
  return body
    .filter((s) => s.type === 'expression_statement' || s.type === 'return_statement' || s.type === 'break_statement')
    .map((s) => reader.text(s));
}

function readTable(sources: Sources, numbers: Numbers, source: Source, definition: Definition): FoundDispatcher {
  const branches: Branch[] = [];
  const findings: Finding[] = [];
  const seen = new Map<string, Place>();
  for (const label of labelNodes(sources, source, definition, numbers)) {
    const place = placeOf(source, label.node.startIndex);
    const value = label.node.childForFieldName('value');
    const name = value
      ? bare(oneLine(source.text.slice(value.startIndex, value.endIndex))).replace(/^&/, '')
      : pastedEntry(sources, source, label.node);
    const before = seen.get(label.number);
    if (before) {
      findings.push({
        kind: 'dispatched-twice',
        severity: 'error',
        hypercall: label.number,
        message: `'${definition.name}' has two entries for '${label.number}'; the last one counts`,
        ...place,
        related: [before],
      });
      continue;
    }
    seen.set(label.number, place);
    branches.push(fromWrapper(sources, label.number, /^\w+$/.test(name) ? name : null, place));
  }
  // The function that uses the table.
  const user = source.index.definitions.find(
    (d) => d.kind === 'function' && d.body && d.uses.concat(d.calls).includes(definition.name),
  );
  const frame = user?.signature?.parameters.find((p) => /\*\s*$/.test(p.type)) ?? null;
  return {
    source,
    definition: user ?? definition,
    branches,
    findings,
    dispatcher: {
      name: (user ?? definition).name,
      place: nameLine({ source, definition: user ?? definition }),
      style: 'table',
      frame: frame && { name: frame.name, type: frame.type, registers: registersOf(sources, frame.type) ?? 31 },
      parameters: [],
      numberName: 'nr',
      preamble: [],
      unknown: [],
      rest: null,
      declarations: [],
      calledFrom: [],
      replaces: false,
    },
  };
}

/** `HANDLE_FUNC(f)` with `[…##x] = (t)handle_##x` in its macro: `handle_f`. */
function pastedEntry(sources: Sources, source: Source, call: SyntaxNode): string {
  const text = (n: SyntaxNode | undefined | null) => (n ? source.text.slice(n.startIndex, n.endIndex) : '');
  const argument = text(argumentsOf(call)[0]);
  for (const { source: s, definition } of sources.named(text(call.childForFieldName('function')))) {
    const parameter = definition.signature?.parameters[0]?.name;
    if (definition.kind !== 'macro' || !definition.body || !parameter) continue;
    const body = oneLine(s.code.slice(definition.body.start, definition.body.end));
    const m = new RegExp(`=\\s*(?:\\([^()]*\\)\\s*)?&?\\s*(?:(\\w*?)\\s*##\\s*)?${parameter}\\b`).exec(body);
    if (m) return `${m[1] ?? ''}${argument}`;
  }
  return '';
}

/**
 * A table entry may be the handler itself, or a function that takes the saved registers and unpacks them for the
 * handler: then the inner call counts.
 */
function fromWrapper(sources: Sources, number: string, name: string | null, place: Place): Branch {
  const entry: Branch = {
    number,
    handler: name,
    dispatch: { by: 'table', registers: [], result: 'none', value: null, place },
  };
  const found = name === null ? undefined : sources.named(name).find((f) => f.definition.kind === 'function');
  if (!found?.definition.body || !found.definition.signature) return entry;
  const { source, definition } = found;
  const { parameters, returns } = definition.signature!;
  const frame = parameters.length === 1 && /\*\s*$/.test(parameters[0]!.type) ? parameters[0]! : null;
  if (frame && /regs|ctxt|context|frame/i.test(frame.type + frame.name)) {
    const reader = new Reader(source, new Set([frame.name]), () => true);
    const body = within(sources.tree(source), definition.body!.start, definition.body!.end).flatMap(statementsOf);
    const label: Label = { kind: 'table', number, node: body[0]! };
    if (body.length) {
      const env: Env = new Map();
      reader.declared(source.code.slice(definition.body!.start, definition.body!.end), env);
      const inner = readBranch(label, body, env, reader, new Set(), 'table', place);
      if (inner.handler !== null) return inner;
    }
  }
  entry.dispatch.registers = parameters
    .filter((p) => p.type !== 'void')
    .map((p, i) => ({ register: i + 1, value: null, cast: p.type, conversion: null }));
  entry.dispatch.result = returns === 'void' ? 'none' : 'handler';
  return entry;
}
