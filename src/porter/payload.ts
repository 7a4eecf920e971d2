import { stripComments, tokens, type ByteString } from '../core/text';
import type { Definition } from '../kernel-index/types';
import type { Surroundings } from './adapt';
import { followers, withFollowers } from './asm-habits';
import type { PortContext } from './context';
import type { DefinitionHeir } from './heirs';
import { readLocals } from './locals';
import { scopeOf, type Placed } from './place';
import { overwritten } from './registers';
import { namespaceOf } from './sections';
import { withoutAbsorbed } from './twins';
import type { PorterFile } from './view';

/** A payload that mentions what the target does not have is not sure any more. */
const DOUBTFUL = 0.75;

/** Rewrites what an edit adds for the target; what cannot be rewritten lowers the confidence and is said. */
export async function adaptPayload(
  placed: Placed,
  base: PorterFile,
  heirsOf: ReadonlyMap<Definition, DefinitionHeir[]>,
  context: PortContext,
): Promise<string | null> {
  const { commit } = context.base.tree;
  if (placed.strategy === 'unchanged' && commit !== null && commit === context.target.tree.commit) return null;
  for (const s of placed.segments) {
    const scope = scopeOf(base, s.segment);
    const heir = scope && heirsOf.get(scope)?.find((h) => h.path === placed.file.path);
    const where: Surroundings = {
      // What another edit declares in the function is known to this one.
      around: scope ? `${await patchedText(base, scope, context)}\n${base.text.slice(scope.start, scope.end)}` : '',
      // A parameter that upstream dropped is read as what stands for it, below.
      locals: new Set(
        [heir?.definition, heir && scope?.kind === 'function' ? scope : null].flatMap((d) =>
          (d?.signature?.parameters ?? []).map((p) => p.name),
        ),
      ),
      written: await context.sections.written(placed.file.path),
      carries: scope ? 'nothing' : 'macros',
    };
    const adapted = await context.adapter.adaptAll(s.added, placed.file.path, where, context);
    if (scope?.kind === 'function' && heir) {
      const pairing = context.aligner.definitions(base, scope, placed.file, heir.definition);
      const locals = readLocals(
        adapted.lines,
        { base: scope, target: heir.definition, pairing },
        { base: context.base.kernel, target: context.target.kernel },
      );
      for (const name of locals.missing)
        adapted.doubts.push(`uses the local '${name}', which the target's definition does not have`);
      if (locals.evidence.length) {
        adapted.lines = locals.lines;
        adapted.evidence.push(...locals.evidence);
        placed.confidence = Math.min(placed.confidence, DOUBTFUL);
      }
    }
    if (adapted.evidence.length) {
      s.added = adapted.lines;
      placed.rewritten = true;
      placed.evidence.push(...adapted.evidence);
      const carried = adapted.evidence.some((e) => e.kind === 'definition-carried' || e.kind === 'constant-kept');
      placed.confidence = Math.min(placed.confidence, carried ? DOUBTFUL : 0.9);
    }
    const spelling = respell(s.added, base, placed.file);
    if (spelling) {
      s.added = spelling.lines;
      placed.rewritten = true;
      placed.evidence.push({ kind: 'spelling', text: spelling.why });
    }
    adapted.doubts.push(...strangeMacros(s.added, base, placed.file));
    adapted.blockers.push(...definedTwice(s.added, placed.file, context));
    for (const doubt of lostMacros(s.added, base, placed.file, context))
      if (!adapted.doubts.includes(doubt)) adapted.doubts.push(doubt);
    if (!scope && /^[\w*\s]+\([^;]*\)\s*\{/m.test(s.added.join(''))) {
      const prefix = await namespaceOf(placed.file.path, context.target);
      if (prefix !== null && (await namespaceOf(base.path, context.target)) === null)
        adapted.doubts.push(`symbols of this folder get the prefix '${prefix}': code elsewhere does not find them`);
    }
    const [twice] =
      base.index.language === 'kbuild' ? (withoutAbsorbed(s.added, base.path, context)?.evidence ?? []) : [];
    if (twice) adapted.blockers.push(twice.text);
    if (base.index.language === 'asm') {
      const { lines, of } = withFollowers(s.added, followers(base, placed.file));
      if (of.size) {
        s.added = lines;
        placed.rewritten = true;
        placed.confidence = Math.min(placed.confidence, 0.9);
      }
      for (const [instruction, follower] of of) {
        const text = `upstream puts '${follower}' behind every '${instruction}' of '${placed.file.path}' now`;
        placed.evidence.push({ kind: 'instruction-followed', text });
      }
    }
    if (base.index.language === 'asm' && scope && heir) {
      const pairing = context.aligner.definitions(base, scope, placed.file, heir.definition);
      const [lost] = overwritten(s.added, pairing, s.site.at);
      if (lost)
        adapted.blockers.push(`it reads ${lost.register}, which upstream's new '${lost.by}' above it overwrites`);
    }
    if (adapted.blockers.length) return adapted.blockers.join('; ');
    for (const doubt of adapted.doubts) placed.evidence.push({ kind: 'doubt', text: doubt });
    if (adapted.doubts.length) placed.confidence = Math.min(placed.confidence, DOUBTFUL);
  }
  return null;
}

/** A definition as the set leaves it; empty when it does not have it any more. */
async function patchedText(base: PorterFile, scope: Definition, context: PortContext): Promise<ByteString> {
  const patched = await context.patched.file(base.path);
  const now = patched?.outer.find((d) => d.kind === scope.kind && d.name === scope.name);
  return now ? patched!.text.slice(now.start, now.end) : '';
}

/** `---help---` became `help`, which every Kconfig takes; kernels that dropped the old word stop at it. */
function respell(added: readonly ByteString[], base: PorterFile, target: PorterFile) {
  if (base.index.language !== 'kconfig' || target.text.includes('---help---')) return null;
  const lines = added.map((l) => l.replace(/^(\s*)---help---/, '$1help'));
  return lines.some((l, i) => l !== added[i])
    ? { lines, why: "the target's Kconfig says 'help', not '---help---'" }
    : null;
}

/** Macros that the base's file had for itself and that are gone: the set may have another of that name elsewhere. */
function lostMacros(
  added: readonly ByteString[],
  base: PorterFile,
  target: PorterFile,
  context: PortContext,
): string[] {
  const words = new Set(tokens(stripComments(added.join(''))));
  const has = (file: PorterFile, name: string) => file.index.definitions.some((d) => d.name === name);
  return base.index.definitions
    .filter((d) => d.kind === 'macro' && words.has(d.name) && base.path.endsWith('.c'))
    .filter((d) => !new RegExp(`^#define[ \\t]+${d.name}\\b`, 'm').test(added.join('')))
    .filter((d) => !has(target, d.name) && !context.target.kernel.definitions(d.name).length)
    .map((d) => `mentions '${d.name}', which the target does not have`);
}

/** Macros of assembly that a header of the target has by now: one name, two macros. */
function definedTwice(added: readonly ByteString[], target: PorterFile, context: PortContext): string[] {
  if (target.index.language !== 'asm') return [];
  const headers = (kernel: PortContext['base']['kernel'], name: string) =>
    kernel.definitions(name).filter((f) => f.definition.kind === 'asm-macro' && f.file.path.endsWith('.h'));
  return added.flatMap((line) => {
    const name = /^\s*\.macro\s+(\w+)/.exec(line)?.[1];
    const found = name === undefined ? [] : headers(context.target.kernel, name);
    if (found.length === 0 || headers(context.base.kernel, name!).length > 0) return [];
    return [`it defines the macro '${name}', which '${found[0]!.file.path}' has, too`];
  });
}

/** Assembler macros that the base's file uses and the target's does not any more (ENTRY, ENDPROC …). */
function strangeMacros(added: readonly ByteString[], base: PorterFile, target: PorterFile): string[] {
  if (base.index.language !== 'asm') return [];
  const names = new Set([...stripComments(added.join('')).matchAll(/\b([A-Z][A-Z_]{3,})\s*\(/g)].map((m) => m[1]!));
  const uses = (file: PorterFile, name: string) => new RegExp(`\\b${name}\\s*\\(`).test(file.text);
  return [...names]
    .filter((n) => uses(base, n) && !uses(target, n))
    .map((n) => `uses '${n}()', which the target's file does not use any more`);
}
