import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

const SRC = path.join(__dirname, '../src');

/** The pipeline, left to right. A file imports from layers to its left and from its own. */
const LAYERS = [
  'core',
  'io',
  'patch-set',
  'kernel-index',
  'symbol-map',
  'hypercall-gen',
  'porter',
  'history',
  'result',
  'verify',
  'repair',
  'series',
  'report',
  'pipeline',
  'apply',
  'resolve',
  'hypercalls',
  'cli',
];

/** Files that may break a rule, each with the reason. */
const EXCEPTIONS: { file: string; imports: string; because: string }[] = [
  {
    file: 'report/port/side-by-side.ts',
    imports: 'diff',
    because: 'it reads no patch: it marks the words in which two lines on a page differ',
  },
];

/** The doors: who may import a module of the outside. Anything that is not listed here is free. */
const DOORS: { modules: RegExp; layers: string[]; because: string }[] = [
  {
    modules: /^(node:)?(fs|fs\/promises|child_process|os|net|http|https|dns|worker_threads)$/,
    layers: ['io'],
    because:
      'src/io is the only door to files, processes and the machine: ask it (files.ts, process.ts), or give it a new function; code behind one door can be tested without a disk and read without fear',
  },
  {
    modules: /^(simple-git|tree-sitter|tree-sitter-c|workerpool|env-paths)$/,
    layers: ['io'],
    because:
      'simple-git and tree-sitter have traps (silent exit codes, 32 KB, bytes read as UTF-8) that are known in src/io alone: use GitRepo and parseC',
  },
  {
    modules: /^(yargs|cli-table3|picocolors)$/,
    layers: ['cli'],
    because: 'the command line and the terminal belong to src/cli; everything else gives data and throws KportError',
  },
  {
    modules: /^parse-diff$/,
    layers: ['patch-set'],
    because:
      'patches are read in src/patch-set alone, where each reader is checked by another (diff may make and show differences anywhere)',
  },
];

interface Import {
  file: string;
  line: number;
  module: string;
}

const files = (readdirSync(SRC, { recursive: true }) as string[]).filter((f) => f.endsWith('.ts')).sort();

function layerOf(file: string): string {
  return file.includes('/') ? file.slice(0, file.indexOf('/')) : file.replace(/\.ts$/, '');
}

function parse(file: string): ts.SourceFile {
  return ts.createSourceFile(file, readFileSync(path.join(SRC, file), 'utf8'), ts.ScriptTarget.ES2022, true);
}

/** Every module that a file names: import, export from, import(), require(), import types. */
function importsOf(file: string): Import[] {
  const source = parse(file);
  const found: Import[] = [];
  const visit = (node: ts.Node): void => {
    let name: ts.Node | undefined;
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) name = node.moduleSpecifier;
    else if (ts.isExternalModuleReference(node)) name = node.expression;
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) name = node.argument.literal;
    else if (ts.isCallExpression(node)) {
      const { expression } = node;
      const isImport = expression.kind === ts.SyntaxKind.ImportKeyword;
      if (isImport || (ts.isIdentifier(expression) && expression.text === 'require')) name = node.arguments[0];
    }
    if (name && ts.isStringLiteralLike(name)) {
      const line = source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
      found.push({ file, line, module: name.text });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

const imports = files.flatMap(importsOf);

function excepted(i: Import): boolean {
  return EXCEPTIONS.some((e) => e.file === i.file && e.imports === i.module);
}

describe('the pipeline goes one way', () => {
  test('every file belongs to a layer', () => {
    const strangers = files.filter((f) => !LAYERS.includes(layerOf(f)));
    const because = 'a new folder needs a place in the pipeline: add it to LAYERS here and to ARCHITECTURE.md';
    expect(strangers.map((f) => `src/${f}: ${because}`)).toEqual([]);
  });

  test('a file imports from layers to its left or from its own', () => {
    const wrong: string[] = [];
    for (const i of imports) {
      if (!i.module.startsWith('.') || excepted(i)) continue;
      const to = layerOf(path.join(path.dirname(i.file), i.module));
      const [from, into] = [LAYERS.indexOf(layerOf(i.file)), LAYERS.indexOf(to)];
      if (into <= from && into >= 0) continue;
      wrong.push(
        `src/${i.file}:${i.line} imports '${i.module}': ${layerOf(i.file)} comes before ${to} in the pipeline ` +
          `(${LAYERS.join(' <- ')}); move the shared part to the left, or hand it in from the right`,
      );
    }
    expect(wrong).toEqual([]);
  });

  test.each(DOORS.map((d) => [d.layers.join(', '), d] as const))('only src/%s opens its doors', (_, door) => {
    const wrong = imports
      .filter((i) => door.modules.test(i.module) && !door.layers.includes(layerOf(i.file)) && !excepted(i))
      .map((i) => `src/${i.file}:${i.line} imports '${i.module}': ${door.because}`);
    expect(wrong).toEqual([]);
  });

  test('only src/cli talks to the terminal and ends the process', () => {
    const because =
      'data goes to stdout and talk to stderr, and only src/cli may do either (Ui in ui.ts) or end the process: throw a KportError or give a value';
    const forbidden = new Set(['stdout', 'stderr', 'stdin', 'exit', 'exitCode', 'chdir']);
    const wrong: string[] = [];
    for (const file of files.filter((f) => layerOf(f) !== 'cli')) {
      const source = parse(file);
      const visit = (node: ts.Node): void => {
        if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression)) {
          const [object, name] = [node.expression.text, node.name.text];
          if (object === 'console' || (object === 'process' && forbidden.has(name))) {
            const line = source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
            wrong.push(`src/${file}:${line} uses ${object}.${name}: ${because}`);
          }
        }
        ts.forEachChild(node, visit);
      };
      visit(source);
    }
    expect(wrong).toEqual([]);
  });

  test('every exception is still needed', () => {
    const stale = EXCEPTIONS.filter((e) => !imports.some((i) => i.file === e.file && i.module === e.imports));
    expect(stale.map((e) => `src/${e.file} no longer imports '${e.imports}': drop the exception`)).toEqual([]);
  });
});
