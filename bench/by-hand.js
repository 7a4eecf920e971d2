// What a person still does by hand before the ported sekvm-4.18 boots, as recipes: they say what goes where and hold no
// line of the kernel's or of the set's. For bench/boot.js, which hands the hunks to `kport continue`.

/** The marked place of a sheet of `kport continue`: the lines around it and what the set would put there. */
function openSheet(text) {
  const lines = text.split('\n');
  const at = (mark) => {
    const i = lines.findIndex((l) => l.startsWith(mark));
    if (i < 0) throw new Error(`the sheet has no '${mark}'`);
    return i;
  };
  const end = at('>>>>>>>');
  return {
    before: lines.slice(0, at('<<<<<<<')),
    payload: lines.slice(at('=======') + 1, end),
    after: lines.slice(end + 1),
  };
}

/** The index of the last line that matches. */
function last(lines, pattern) {
  for (let i = lines.length - 1; i >= 0; i--) if (pattern.test(lines[i])) return i;
  throw new Error(`no line is like ${pattern}`);
}

/**
 * Upstream now asks for a pending interrupt between the host's state and the guest's, and uses x1 for it. So x1 is put on
 * the stack in front of that, and what leaves early takes it off again.
 */
function storeEarlier(sheet) {
  const { before, payload, after } = openSheet(sheet);
  const option = /^#ifndef\s+(\w+)/.exec(payload.find((l) => /^#ifndef/.test(l)))[1];
  const guard = (...lines) => [`#ifdef ${option}`, ...lines, '#endif'];
  const store = payload.find((l) => /^\s*str\s+x1,/.test(l));
  const wrapped = payload[payload.findIndex((l) => /^#ifndef/.test(l)) + 1];
  const rest = payload.filter((l) => l !== store && !/^\s*\/\//.test(l));
  before.splice(last(before, /^\s*ret\s*$/), 0, ...guard('\tadd\tsp, sp, #16'));
  before.splice(last(before, /^alternative_if\s/), 0, ...guard(store));
  const twin = after.indexOf(wrapped);
  if (twin < 0) throw new Error('the wrapped line is not below its place');
  return [...before, ...rest, ...after.slice(0, twin), ...after.slice(twin + 1)].join('\n');
}

/**
 * The set builds a file of its own instead of one of upstream's, and the stable tree put a function there that other
 * objects call: it is copied from the target, with what is declared right above it.
 */
function copyFunction(name, from, to) {
  return {
    path: to,
    edit(text, target) {
      const lines = target(from).split('\n');
      const head = lines.findIndex((l) => l.includes(`${name}(`) && !/[;]\s*$/.test(l));
      if (head < 0) throw new Error(`'${from}' has no '${name}'`);
      const end = lines.findIndex((l, i) => i > head && l === '}');
      const body = lines.slice(head, end + 1);
      const uses = new Set(body.join('\n').match(/\w+/g));
      const declared = lines.filter(
        (l) => /^extern\b.*;$/.test(l) && l.match(/\w+/g).some((w) => /^__/.test(w) && uses.has(w)),
      );
      return `${text.trimEnd()}\n\n${[...declared, ...body].join('\n')}\n`;
    },
  };
}

const hunks = { '5399044b0bdc': storeEarlier };

module.exports = {
  'sekvm-4.18': {
    'v4.19': {
      hunks,
      files: [
        copyFunction(
          'kvm_unexpected_el2_exception',
          'arch/arm64/kvm/hyp/switch.c',
          'arch/arm64/kvm/hyp/switch-simple.c',
        ),
      ],
    },
    'v5.4': { hunks, files: [] },
  },
};
