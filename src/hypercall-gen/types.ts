import { z } from 'zod';

/**
 * The hypercall table: what `kport hypercalls --extract` writes, what a person edits, what the generator reads. The
 * descriptions below are the comments of `schemas/hypercalls.schema.json`, which is made from this file.
 *
 * A hypercall that a person adds needs `name`, `number`, `stub`, `args`, `returns` and `handler`; everything else has a
 * default.
 */

const Identifier = z.string().regex(/^[A-Za-z_]\w*$/, 'must be a C identifier');

const Place = z
  .object({
    path: z.string().describe('file, relative to the top of the kernel'),
    line: z.number().int().min(1).describe('line of the patched file, from 1'),
  })
  .describe('where it was read; null for what a person added');

const Argument = z.object({
  name: Identifier.describe('parameter name'),
  type: z.string().min(1).describe('C type, one blank between tokens: `u32`, `struct kvm_vcpu *`'),
});

const StubDetail = z
  .object({
    style: z
      .enum(['function', 'static-inline', 'static', 'macro'])
      .describe('how the set writes the stub; the generator does the same (a macro becomes a static inline)'),
    parameters: z.array(Argument).describe('parameters of the stub; they differ from `args` when it takes them apart'),
    passes: z.array(z.string()).describe('the C expressions that go into x1, x2, …, one for each of `args`'),
    answer: z
      .string()
      .nullable()
      .default(null)
      .describe('what the stub makes of the answer, a C expression of `ret`: `ret ? -EPERM : 0`; null: gives it back'),
    place: Place.nullable().default(null),
  })
  .describe('the host stub in detail; without it: a function that takes `args` and passes them in order');

const CallSite = z
  .object({
    path: z.string(),
    line: z.number().int().min(1),
    function: z.string().nullable().describe('the function that makes the call'),
    passes: z.array(z.string()).describe('the C expressions that go into x1, x2, …'),
    usesResult: z.boolean().describe('whether the result is used'),
  })
  .describe('a call of the hypercall by number, without a stub');

const HandlerDetail = z
  .object({
    parameters: z.array(Argument),
    returns: z.string(),
    static: z.boolean().default(false).describe('static functions cannot be reached from a generated dispatcher'),
    macro: z.boolean().default(false).describe('it is a macro: called as it stands, never declared'),
    converts: z.array(z.string()).default([]).describe('pointer parameters that the handler converts itself'),
    upstream: z
      .boolean()
      .default(false)
      .describe('the kernel has it, not the set: then the target decides its signature'),
    place: Place.nullable().default(null),
  })
  .describe('the EL2 handler in detail; without it: a function that takes `args` and gives `returns`');

const Dispatch = z
  .object({
    by: z.enum(['if-chain', 'switch', 'table', 'generated']).describe('how the dispatcher finds the handler'),
    registers: z
      .array(
        z.object({
          register: z.number().int().min(0).max(30).nullable().describe('n of xn: x1 is the first argument'),
          value: z.string().nullable().default(null).describe('the C expression that is given when it is no register'),
          cast: z.string().nullable().default(null).describe('the C type that the register is cast to'),
          conversion: Identifier.nullable()
            .default(null)
            .describe('what the dispatcher wraps around the value, for example `kern_hyp_va`'),
        }),
      )
      .describe('what each parameter of the handler is given'),
    result: z
      .enum(['handler', 'constant', 'none'])
      .describe("what goes back to the host: the handler's value, `value`, or nothing"),
    value: z.string().nullable().default(null).describe('the constant of `result: constant`'),
    place: Place.nullable().default(null),
  })
  .describe('how the dispatcher calls the handler; without it: x1, x2, … in order, cast to the parameter types');

const HypercallSchema = z.object({
  name: Identifier.describe('macro of the number, for example `HVC_REGISTER_VM`'),
  number: z.number().int().min(0).max(0xffffffff).describe('what the host puts into x0'),
  group: z.string().nullable().default(null).describe('heading comment above it in the number header'),
  place: Place.nullable().default(null),
  stub: Identifier.nullable().describe('host function that makes the call; null when it is called directly'),
  stubDetail: StubDetail.nullable().default(null),
  callSites: z.array(CallSite).default([]),
  args: z
    .array(Argument)
    .describe('what is passed, in the order of the registers x1, x2, …, with the C types of the host'),
  returns: z.string().default('void').describe('C type of what the host gets back'),
  handler: Identifier.nullable().describe('EL2 function that does the work; null when there is none'),
  handlerDetail: HandlerDetail.nullable().default(null),
  dispatch: Dispatch.nullable().default(null),
});

const Dispatcher = z
  .object({
    name: Identifier,
    place: Place.nullable().default(null),
    style: z.enum(['if-chain', 'switch', 'table']),
    frame: z
      .object({
        name: Identifier.describe('the parameter that points to the saved registers of the host'),
        type: z.string(),
        registers: z.number().int().min(1).describe('how many registers the frame holds'),
      })
      .nullable()
      .describe('null when the dispatcher gets the registers as arguments'),
    parameters: z
      .array(Argument)
      .default([])
      .describe('of a dispatcher that gets the registers as arguments: number first; generated code keeps them'),
    numberName: Identifier.default('nr').describe('the variable that holds the number'),
    preamble: z.array(z.string()).default([]).describe('statements that run before the number is looked at'),
    unknown: z.array(z.string()).default([]).describe('statements that run for a number that nobody knows'),
    rest: Place.nullable().default(null).describe('code behind the branches that no statement above holds'),
    declarations: z
      .array(z.string())
      .default([])
      .describe('prototypes of the functions that `preamble` and `unknown` call'),
    calledFrom: z
      .array(z.object({ path: z.string(), line: z.number().int().min(1), how: z.enum(['assembly', 'c']) }))
      .default([])
      .describe('who calls the dispatcher: the entry glue'),
    replaces: z
      .boolean()
      .default(false)
      .describe("the glue stands in the place of KVM's own: with the set no call of the host reaches KVM's functions"),
  })
  .describe('the EL2 function that tells the numbers apart');

const AsmCall = z
  .object({
    name: Identifier,
    number: z.number().int().min(0),
    place: Place.nullable().default(null),
    uses: z.array(z.object({ path: z.string(), line: z.number().int().min(1) })),
  })
  .describe(
    'a number that only assembly makes and answers, like those of the hyp stub; carried as text, not generated',
  );

/** The document as a file holds it. */
export const TableSchema = z.object({
  $schema: z.string().optional(),
  schemaVersion: z.literal(1),
  set: z.string().describe('name of the patch set'),
  base: z.string().describe('version of the kernel that the set was written for'),
  interface: z
    .object({
      option: z
        .string()
        .regex(/^CONFIG_\w+$/)
        .nullable()
        .describe('Kconfig option around the numbers; null when there is none'),
      header: z.string().nullable().describe('file that defines the numbers'),
      primitive: Identifier.describe('macro or function that makes the call: `primitive(number, …)`'),
      primitiveKind: z
        .enum(['macro', 'function', 'kernel'])
        .default('macro')
        .describe('what it is; only a macro of the set is defined anew by the generator'),
      primitivePlace: Place.nullable().default(null),
      stem: z
        .string()
        .regex(/^[a-z][a-z0-9_]*$/)
        .describe('short name; generated files and symbols begin with it'),
      folder: z.string().nullable().describe("folder of the corevisor's code; null when it has none of its own"),
      corevisorObject: z
        .enum(['nvhe', 'kernel'])
        .default('nvhe')
        .describe(
          'for kernels with an nVHE object: whether the handlers are linked into it, or stay in the kernel image and need aliases',
        ),
      includes: z.array(z.string()).default([]).describe('headers that define the types of the signatures'),
      dispatcher: Dispatcher.nullable(),
    })
    .describe('what all hypercalls of the set have in common'),
  hypercalls: z.array(HypercallSchema).describe('one entry for each number; new ones can be added here'),
  asmCalls: z.array(AsmCall).default([]),
});

export type HypercallTable = z.infer<typeof TableSchema>;
export type Hypercall = z.infer<typeof HypercallSchema>;
export type Argument = z.infer<typeof Argument>;
export type CallSite = z.infer<typeof CallSite>;
export type Place = z.infer<typeof Place>;
export type Dispatch = z.infer<typeof Dispatch>;
export type Dispatcher = z.infer<typeof Dispatcher>;
export type StubDetail = z.infer<typeof StubDetail>;
export type HandlerDetail = z.infer<typeof HandlerDetail>;
export type AsmCall = z.infer<typeof AsmCall>;

/** Kinds of inconsistency. */
export const FINDING_KINDS = [
  'duplicate-number',
  'stub-range',
  'smccc-number',
  'no-caller',
  'no-handler',
  'not-dispatched',
  'dispatched-twice',
  'unknown-number',
  'argument-count',
  'argument-type',
  'argument-sign',
  'argument-order',
  'too-many-arguments',
  'raw-pointer',
  'lost-result',
  'gap',
] as const;
export type FindingKind = (typeof FINDING_KINDS)[number];

/** Something that does not fit together, with its place. */
export interface Finding {
  kind: FindingKind;
  /** `error`: the call does not work; `warning`: it works by luck; `info`: worth knowing. */
  severity: 'error' | 'warning' | 'info';
  /** Name of the number; null when it is about none. */
  hypercall: string | null;
  /** One sentence. */
  message: string;
  path: string | null;
  line: number | null;
  /** The other ends of a mismatch. */
  related: Place[];
}

/** What a stub passes, with the defaults filled in. */
export function stubOf(call: Hypercall): StubDetail | null {
  if (call.stub === null) return null;
  return (
    call.stubDetail ?? {
      style: 'function',
      parameters: call.args,
      passes: call.args.map((a) => a.name),
      answer: null,
      place: null,
    }
  );
}

/** The handler's signature, with the defaults filled in. */
export function handlerOf(call: Hypercall): HandlerDetail | null {
  if (call.handler === null) return null;
  return (
    call.handlerDetail ?? {
      parameters: call.args,
      returns: call.returns,
      static: false,
      macro: false,
      converts: [],
      upstream: false,
      place: null,
    }
  );
}

/** How the handler is reached, with the defaults filled in; null when nobody can reach one. */
export function dispatchOf(call: Hypercall): Dispatch | null {
  if (call.dispatch !== null) return call.dispatch;
  // What was read from a set and is not dispatched there stays so; what a person added is dispatched by generation.
  const handler = handlerOf(call);
  if (handler === null || call.place !== null) return null;
  return {
    by: 'generated',
    registers: handler.parameters.map((p, i) => ({ register: i + 1, value: null, cast: p.type, conversion: null })),
    result: handler.returns === 'void' ? 'none' : 'handler',
    value: null,
    place: null,
  };
}
