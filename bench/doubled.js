#!/usr/bin/env node
'use strict';
/**
 * Placed hunks with half of what they add beside them in the target already: changes that may be made twice.
 *
 *   node bench/doubled.js --report port.json --diff SET.diff --tree REPO --to v5.10
 *
 * `port.json` is what `kport apply --json` says of a set of one diff. A line counts when it has 20 characters and is not
 * also taken away by its hunk; it is looked for 60 lines around the place, as it stands. What it lists is to be read.
 */
const { execFileSync } = require('node:child_process');
const { readFileSync } = require('node:fs');
const { parseArgs } = require('node:util');

const AROUND = 60;
const { values } = parseArgs({
  options: Object.fromEntries(['report', 'diff', 'tree', 'to'].map((name) => [name, { type: 'string' }])),
});
for (const name of ['report', 'diff', 'tree', 'to']) {
  if (values[name] === undefined) {
    process.stderr.write(`error: --${name} is missing\nhint: see the top of bench/doubled.js\n`);
    process.exit(2);
  }
}

const report = JSON.parse(readFileSync(values.report, 'utf8'));
const hunks = new Map();
for (const file of readFileSync(values.diff, 'latin1').split(/^(?=diff --git )/m)) {
  const path = /^\+\+\+ b\/(.*)$/m.exec(file)?.[1] ?? /^--- a\/(.*)$/m.exec(file)?.[1];
  for (const text of file.split(/^(?=@@ )/m).slice(1)) hunks.set(`${path}\0${text.split('\n')[0]}`, text.split('\n'));
}
const texts = new Map();
const target = (path) => {
  if (!texts.has(path)) {
    const show = ['-C', values.tree, 'show', `${values.to}:${path}`];
    const text = execFileSync('git', show, { encoding: 'latin1', maxBuffer: 1 << 28 });
    texts.set(
      path,
      text.split('\n').map((l) => l.trim()),
    );
  }
  return texts.get(path);
};

let placed = 0;
const found = [];
for (const h of report.hunks) {
  if (['conflict', 'obsolete', 'already-upstream'].includes(h.outcome)) continue;
  placed++;
  const [place] = h.target;
  const lines = hunks.get(`${h.path}\0${h.header}`);
  if (!place || !lines) continue;
  const of = (sign) => lines.filter((l) => l[0] === sign).map((l) => l.slice(1).trim());
  const removed = new Set(of('-'));
  const added = of('+').filter((l) => l.length > 20 && /\w{4}/.test(l));
  const near = new Set(target(place.path).slice(Math.max(0, place.line - AROUND), place.line + AROUND));
  const there = added.filter((l) => near.has(l) && !removed.has(l)).length;
  if (added.length && there >= added.length / 2)
    found.push(`${h.id}\t${h.outcome}\t${h.confidence}\t${place.path}:${place.line}\t${there} of ${added.length}`);
}
process.stdout.write(
  `${report.hunks.length} hunks, ${placed} placed, ${found.length} of these have half of their lines there\n`,
);
for (const line of found) process.stdout.write(`${line}\n`);
