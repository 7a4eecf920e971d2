import { parse as parseYaml, stringify as stringifyYaml, YAMLParseError } from 'yaml';
import { z } from 'zod';
import { inputError, messageOf } from '../core/errors';
import { fromDisplay } from '../core/text';
import { readFile, writeFile } from '../io/files';
import { TableSchema, type HypercallTable } from './types';

/** Where editors find the comments of the format. */
const SCHEMA_ID = 'hypercalls.schema.json';

const YAML_HEAD = `# The hypercalls of a patch set, as kport read them. Edit, then: kport hypercalls --set NAME --table THIS-FILE
# A new hypercall needs name, number, stub, args, returns and handler; what else there is has defaults.
# Every field is explained in schemas/hypercalls.schema.json.
`;

/** Reads a table from JSON or YAML. Throws an input error that names the field. */
export function readTable(file: string): HypercallTable {
  const text = Buffer.from(readFile(file), 'latin1').toString('utf8');
  return parseTable(text, file);
}

/** Reads the text of a table; JSON is YAML, too. */
export function parseTable(text: string, file: string): HypercallTable {
  let document: unknown;
  try {
    document = file.endsWith('.json') ? JSON.parse(text) : parseYaml(text);
  } catch (cause) {
    const line = cause instanceof YAMLParseError ? cause.linePos?.[0].line : undefined;
    const what = messageOf(cause).split('\n')[0]!.replace(/:$/, '');
    throw inputError(
      `'${file}'${line ? ` line ${line}` : ''} is not ${file.endsWith('.json') ? 'JSON' : 'YAML'}: ${what}`,
      "write it anew with 'kport hypercalls --set NAME --extract --table FILE'",
    );
  }
  const parsed = TableSchema.safeParse(document);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw inputError(
      `'${file}': ${pathOf(issue.path, document)}: ${issue.message}`,
      'the fields are explained in schemas/hypercalls.schema.json',
    );
  }
  const names = new Set<string>();
  for (const { name } of parsed.data.hypercalls) {
    if (names.has(name)) throw inputError(`'${file}': '${name}' stands in the table twice`, 'names must differ');
    names.add(name);
  }
  return parsed.data;
}

/** `hypercalls.3 (HVC_X).args.0.type`: with the name of the entry, which people can search for. */
function pathOf(path: readonly PropertyKey[], document: unknown): string {
  let at: unknown = document;
  const parts: string[] = [];
  for (const key of path) {
    at = (at as Record<PropertyKey, unknown> | undefined)?.[key];
    const name = (at as { name?: unknown } | undefined)?.name;
    parts.push(typeof key === 'number' && typeof name === 'string' ? `${key} (${name})` : String(key));
  }
  return parts.join('.') || 'the document';
}

/** The table as a file's text: JSON for `.json`, YAML with a heading otherwise. */
export function formatTable(table: HypercallTable, file: string): string {
  if (file.endsWith('.json')) {
    const { $schema: schema = SCHEMA_ID, ...rest } = table;
    return `${JSON.stringify({ $schema: schema, ...rest }, null, 2)}\n`;
  }
  return YAML_HEAD + stringifyYaml(table, { lineWidth: 120, aliasDuplicateObjects: false });
}

/** Writes a table. */
export function writeTable(file: string, table: HypercallTable): void {
  writeFile(file, fromDisplay(formatTable(table, file)));
}

/** The JSON schema of the file format; `schemas/hypercalls.schema.json` holds it. */
export function tableJsonSchema(): string {
  const schema = z.toJSONSchema(TableSchema, { io: 'input', target: 'draft-2020-12' });
  const { $schema, ...rest } = schema as Record<string, unknown>;
  const head = {
    $schema,
    $id: SCHEMA_ID,
    title: 'kport hypercall table',
    description:
      'The numbered calls from hostvisor to corevisor of one patch set: written by `kport hypercalls --extract`.',
  };
  return `${JSON.stringify({ ...head, ...rest }, null, 2)}\n`;
}
