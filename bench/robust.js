// Texts that no kernel holds: what indexing each takes, with the grammar asked, and what becomes of it. Each is a process
// of its own, so that the memory is its own.
//   node bench/robust.js
const { spawnSync } = require('node:child_process');
const { indexFile } = require('../dist/kernel-index/index-file');

const MB = 1e6;

/** The same bytes on every machine. */
function noise(length, byte) {
  const bytes = Buffer.alloc(length);
  let seed = 1;
  for (let i = 0; i < length; i++) {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    bytes[i] = byte(seed >>> 16);
  }
  return bytes.toString('latin1');
}

function generated(length) {
  const texts = [];
  for (let i = 0, size = 0; size < length; i++) {
    texts.push(`static int generated_${i}(int a, int b)\n{\n\treturn a + b * ${i};\n}\n\n`);
    size += texts[i].length;
  }
  return texts.join('').slice(0, length);
}

const AFTER = '\nint after;\n';
const TEXTS = {
  '10 MB of random bytes without NUL': () => noise(10 * MB, (n) => 1 + (n % 255)),
  '10 MB of random bytes': () => noise(10 * MB, (n) => n & 255),
  '10 MB of generated functions': () => generated(10 * MB),
  '3.9 MB of the same, parsed': () => generated(3.9 * MB),
  '500,000 nested braces': () => `void f(void) ${'{'.repeat(5e5)}${'}'.repeat(5e5)}${AFTER}`,
  '1,000,000 nested parentheses': () => `int x = ${'('.repeat(1e6)}1${')'.repeat(1e6)};${AFTER}`,
  'one line of 1.1 MB': () => `int a[] = {${'1234, '.repeat(183_334)}};${AFTER}`,
  '100,000 nested and 100,000 flat #ifs': () =>
    '#if A\nint a;\n'.repeat(1e5) + '#endif\n'.repeat(1e5) + '#if B\nint b;\n#endif\n'.repeat(1e5),
  'a binary named .c': () => '\x7fELF\0\0\0int f(void) { }',
};

async function one(name) {
  const text = TEXTS[name]();
  const begun = process.cpuUsage();
  const index = await indexFile('a.c', text);
  const { user, system } = process.cpuUsage(begun);
  const found = index.definitions;
  const words = [
    `${((user + system) / 1e6).toFixed(1)} s`,
    `${Math.round(process.resourceUsage().maxRSS / 1024)} MB`,
    `${found.length} definitions`,
    text.endsWith(AFTER) ? `what follows is ${found.some((d) => d.name === 'after') ? '' : 'not '}found` : '',
    index.parse?.bad ? `${index.parse.bad} bad` : '',
    index.trouble ?? '',
  ];
  console.log(`${name.padEnd(37)} ${words.filter(Boolean).join(', ')}`);
}

const [asked] = process.argv.slice(2);
if (asked !== undefined) {
  one(asked).catch((e) => {
    console.error(e);
    process.exitCode = 1;
  });
} else {
  for (const name of Object.keys(TEXTS)) {
    const { status } = spawnSync(process.execPath, [__filename, name], { stdio: 'inherit' });
    if (status !== 0) process.exitCode = 1;
  }
}
