'use strict';
// A check that needs no expert: lines that a tool placed in another definition than the set has them in, although the
// target still has a definition of that name in that file.
const { dist } = require('./measure');

/** Hunks of `port.placed` with a line elsewhere: `[{path, hunk, from, to}]`. */
async function elsewhere(set, target, port) {
  const found = [];
  for (const file of set.files) {
    const result = port.result?.get(file.path);
    const ours = target.lines.get(file.path);
    if (!result || !ours || file.hunks.every((h) => !port.placed.has(h))) continue;
    const to = target.paths.get(file.path);
    const [source, there, before] = await Promise.all([
      placesOf(file.path, file.newLines),
      placesOf(to, result),
      placesOf(to, ours),
    ]);
    const wanted = [];
    const often = new Map();
    for (const l of file.hunks.flatMap((h) => h.lines))
      if (l[0] === '+') often.set(key(l.slice(1)), (often.get(key(l.slice(1))) ?? 0) + 1);
    for (const hunk of file.hunks) {
      if (!port.placed.has(hunk)) continue;
      let line = hunk.newStart - 1;
      for (const l of hunk.lines) {
        if (l[0] === '+' && telling(key(l.slice(1))) && often.get(key(l.slice(1))) === 1)
          wanted.push({ key: key(l.slice(1)), place: source.at[line], hunk });
        if (l[0] !== '-') line++;
      }
    }
    const added = addedLines(ours, result).map((i) => ({ key: key(result[i]), place: there.at[i] }));
    const seen = new Set();
    for (const [w, a] of common(
      wanted,
      added.filter((x) => x.key),
    )) {
      const known = w.place === '' || before.names.has(w.place);
      if (w.place === a.place || !known || seen.has(w.hunk)) continue;
      // A new definition brings its own name.
      if (!before.names.has(a.place) && a.place !== '') continue;
      seen.add(w.hunk);
      found.push({ path: file.path, line: w.hunk.oldStart, from: w.place, to: a.place });
    }
  }
  return found;
}

/** A line that says something: no lone bracket, no `#if`, no jump. What the set adds to a file twice is left out, too. */
const telling = (k) => /[A-Za-z]{2}/.test(k) && !/^#\s*(if|el|endif)|^(return\b.*|break|goto \w+|else);?$/.test(k);

const key = (line) => line.replace(/\s+/g, ' ').trim();

/**
 * The definition of each line, by name; empty at file level. C is read by its first columns, so that a file whose braces a
 * tool left unbalanced is still read; assembly by its labels; the rest by kport's index.
 */
async function placesOf(path, lines) {
  const names = new Set();
  const at = new Array(lines.length).fill('');
  if (/\.[ch]$/.test(path)) {
    let name = '';
    let opened = false;
    let macro = false;
    lines.forEach((line, i) => {
      if (macro || line[0] === '#') {
        macro = line.endsWith('\\');
        at[i] = opened ? name : '';
        return;
      }
      if (!opened && /^[A-Za-z_]/.test(line) && !/^\w+:/.test(line)) {
        name = nameOf(line);
        if (/[;]\s*(\/\*.*)?$/.test(line) && !line.includes('{')) name = '';
      }
      if (/^\{|^[A-Za-z_}].*\{\s*$|^[ \t].*\)\s*\{\s*$/.test(line) && !opened && name) opened = true;
      at[i] = opened ? name : '';
      if (opened) names.add(name);
      if (line[0] === '}') {
        opened = false;
        name = '';
      }
    });
    return { at, names };
  }
  if (path.endsWith('.S')) {
    let name = '';
    lines.forEach((line, i) => {
      const label =
        /^(?:(?:ENTRY|WEAK|GLOBAL|SYM_\w*(?:START|LABEL)\w*)\(\s*(\w+)|([A-Za-z_]\w*):|\.macro\s+(\w+))/.exec(line);
      if (label) name = label[1] ?? label[2] ?? label[3];
      at[i] = name;
      names.add(name);
    });
    return { at, names };
  }
  const { indexFile } = dist('kernel-index/index-file');
  const index = await indexFile(path, lines.map((l) => `${l}\n`).join(''), {});
  let end = -1;
  for (const d of index.definitions) {
    names.add(d.name);
    if (d.start < end) continue;
    end = d.end;
    for (let i = d.startLine; i <= d.endLine; i++) at[i] = d.name;
  }
  return { at, names };
}

function nameOf(line) {
  const type = /^(?:typedef\s+|static\s+|const\s+)*(?:struct|union|enum)\s+(\w+)\s*\{/.exec(line);
  if (type) return type[1];
  const call = /(\w+)\s*\(/.exec(line.replace(/__attribute__\s*\(\(.*?\)\)/g, ''));
  if (call) return call[1];
  const variable = /(\w+)\s*(?:\[[^\]]*\])?\s*=\s*\{/.exec(line);
  return variable ? variable[1] : '';
}

/** Lines of `after` that `before` does not have, as git's diff sees it (Myers over lines). */
function addedLines(before, after) {
  const { diffArrays } = require('diff');
  const out = [];
  let line = 0;
  for (const part of diffArrays(before, after)) {
    if (part.added) for (let i = 0; i < part.value.length; i++) out.push(line + i);
    if (!part.removed) line += part.value.length;
  }
  return out;
}

/** Pairs of the longest common subsequence by key. */
function common(a, b) {
  const { diffArrays } = require('diff');
  const pairs = [];
  let [i, j] = [0, 0];
  for (const part of diffArrays(a, b, { comparator: (x, y) => x.key === y.key })) {
    if (part.removed) i += part.value.length;
    else if (part.added) j += part.value.length;
    else for (let k = 0; k < part.value.length; k++) pairs.push([a[i++], b[j++]]);
  }
  return pairs;
}

module.exports = { elsewhere, key, placesOf, telling };
