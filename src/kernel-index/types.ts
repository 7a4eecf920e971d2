import type { ByteString } from '../core/text';

/** What kinds of file have definitions that kport knows how to find. */
export type Language = 'c' | 'asm' | 'kconfig' | 'kbuild' | 'lds' | 'text';

export type DefinitionKind =
  | 'function'
  | 'prototype'
  | 'macro'
  | 'struct'
  | 'union'
  | 'enum'
  | 'typedef'
  | 'variable'
  | 'asm-symbol'
  | 'asm-macro'
  | 'config'
  | 'object-rule'
  | 'section';

/** A parameter of a function or macro. `type` is normalised text (one blank between tokens); empty for macros. */
export interface Parameter {
  type: string;
  /** Empty when the prototype does not name it. */
  name: string;
}

/** How a function or macro is called. A variable has one, too: its type and annotations, with no parameters. */
export interface Signature {
  /** The type of what comes back; of a variable, its type. */
  returns: string;
  parameters: Parameter[];
  variadic: boolean;
  /** Attribute-like words in front (`static`, `inline`, `__hyp_text` …), in order. */
  annotations: string[];
}

/** A field of a struct or union, an enumerator, or a word of an object rule. */
export interface Member {
  /** A field of a nested struct that has a name of its own is written `outer.inner`. */
  name: string;
  /** Normalised text; empty for enumerators. */
  type: string;
  /** 0-based line. */
  line: number;
}

/** One definition. Offsets are bytes, `end` exclusive; lines are 0-based and inclusive. */
export interface Definition {
  kind: DefinitionKind;
  name: string;
  start: number;
  end: number;
  startLine: number;
  endLine: number;
  /** The `{`…`}` of a function, struct, union or enum (`bodyEnd` exclusive); the replacement text of a macro. */
  body: { start: number; end: number } | null;
  /**
   * The `#if` conditions around it, outermost first, as written and normalised: `CONFIG_X`, `!CONFIG_X`,
   * `defined(X) && …`. The guard of a header against double inclusion is left out.
   */
  guards: string[];
  signature: Signature | null;
  members: Member[];
  /** Names that are called, sorted, each once. */
  calls: string[];
  /** Every other identifier that it mentions (fields, macros, types, variables), sorted, each once. */
  uses: string[];
  /** A syntax error lies inside: found by text, not by grammar. */
  broken: boolean;
}

/** A `#if … #endif` group of lines; lines are 0-based. */
export interface Conditional {
  /** One per `#if`/`#elif`/`#else`: its line and its normalised condition (that of `#else` is the negation). */
  branches: { line: number; condition: string }[];
  /** Line of the `#endif`; the last line of the file when it is missing. */
  endLine: number;
}

/** Everything that the index knows about one file. Pure data: it is what the cache stores, by blob id. */
export interface FileIndex {
  language: Language;
  /** In order of `start`; nested ones (a struct in a struct) follow the outer one. */
  definitions: Definition[];
  includes: { path: string; system: boolean; line: number }[];
  conditionals: Conditional[];
  /**
   * Top-level items and how many of them hold ERROR or MISSING nodes, with the pre-pass and without it. The latter takes
   * a second parse and is null unless it was asked for. All of it is null when the grammar was not asked: then `broken`
   * only says what the tokens tell.
   */
  parse: { items: number; bad: number; badRaw: number | null } | null;
  /** Set when the file could not be indexed properly (too large, binary, …): one sentence. */
  trouble: string | null;
}

/** A file with its text, as the porter works on it. */
export interface SourceFile {
  path: ByteString;
  text: ByteString;
  index: FileIndex;
}
