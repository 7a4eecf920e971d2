// Generated hypercall code inside the build of real kernels. Run 'npm run build' first.
//   node bench/hypercalls-kernel.js --tree REPO --set NAME [--set NAME] [--patches DIR] [--work DIR] [--ported] v5.8 v5.10
// For each target and set: `kport hypercalls --emit`, its files and entries in a copy of the tree, the tree's own
// checkpatch.pl, arch/arm64/kvm/ built, and the symbols of the objects. An error or a warning in a generated file fails,
// one that the bare tree does not have in a file with entries, too. `--ported` does the same to what `kport apply`
// generates, in the tree that it makes (branch hypercalls-kernel/SET-TARGET is replaced). --work keeps the trees. Without
// --patches the sets are bundled ones, on their bundled base.
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { openTree } = require('../dist/io/tree');
const {
  SourceFolder,
  KernelBuild,
  KVM_CONFIG,
  fragmentOf,
  findToolchain,
  missingTools,
} = require('../dist/verify/build');

const KVM = 'arch/arm64/kvm/';
const bin = path.join(__dirname, '../bin/kport');
const say = (line) => process.stdout.write(`${line}\n`);

function parse(words) {
  const o = { tree: null, sets: [], patches: null, work: null, ported: false, jobs: 1, targets: [] };
  const rest = [...words];
  while (rest.length) {
    const w = rest.shift();
    if (w === '--set') o.sets.push(rest.shift());
    else if (w === '--ported') o.ported = true;
    else if (w === '--jobs') o.jobs = Number(rest.shift());
    else if (['--tree', '--patches', '--work'].includes(w)) o[w.slice(2)] = rest.shift();
    else o.targets.push(w);
  }
  return o;
}

function kport(...args) {
  const done = spawnSync(process.execPath, [bin, ...args], { encoding: 'utf8', maxBuffer: 1e9 });
  if (done.status > 1 || done.error) throw new Error(`kport ${args[0]}: ${done.stderr}`);
  return JSON.parse(done.stdout);
}

function must(program, args, options) {
  const done = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1e9, ...options });
  if (done.error || done.status !== 0) throw new Error(`${program} ${args.join(' ')}: ${done.stderr || done.stdout}`);
  return done.stdout;
}

const keyOf = (d) => `${d.severity}|${d.path}|${d.cause}|${d.text}`;

/** A bare tree in a folder, configured with KVM and with the options of the sets, and built once. */
async function bareBuild(o, target, options, toolchain) {
  const dir = path.join(o.work, target.replace(/\W+/g, '-'));
  fs.rmSync(dir, { recursive: true, force: true });
  const tree = await openTree(o.tree, target);
  const source = await SourceFolder.of(tree, path.join(dir, 'source'), () => false);
  // Only the sets' own Kconfig entries would make them known.
  const kconfig = path.join(source.dir, 'arch/arm64/Kconfig');
  fs.appendFileSync(kconfig, options.map((n) => `\nconfig ${n.replace(/^CONFIG_/, '')}\n\tbool "${n}"\n`).join(''));
  const build = new KernelBuild(source, path.join(dir, 'build'), toolchain, o.jobs);
  const configured = await build.configure(fragmentOf([...KVM_CONFIG, ...options], [], ''));
  const lost = ['CONFIG_KVM', ...options].filter((n) => build.option(n) !== 'y');
  if (!configured.ok || lost.length) throw new Error(`${target}: not configured, ${lost.join(', ')} is off`);
  for (const step of [await build.prepare(), await build.build([KVM])]) {
    if (!step.ok) throw new Error(`${target}: the bare tree does not build: ${step.log.slice(-2000)}`);
    build.known = new Set([...(build.known ?? []), ...step.diagnostics.map(keyOf)]);
  }
  const objects = build.objects().filter((f) => f.startsWith(KVM)).length;
  say(`${target}: bare ${KVM} built, ${objects} objects, ${build.known.size} messages of its own`);
  return { tree, source, build };
}

/** Complaints of the tree's own script about whole new files and about the entries. */
function checkpatch(source, files, entries) {
  const script = path.join(source.dir, 'scripts/checkpatch.pl');
  const run = (args) =>
    spawnSync('perl', [script, '--terse', '--show-types', '--no-summary', '--strict', ...args], {
      encoding: 'utf8',
      cwd: source.dir,
    });
  const said = files.map((f) => run(['-f', f]));
  if (entries) said.push(run(['--no-signoff', '--ignore', 'COMMIT_MESSAGE,MISSING_SIGN_OFF', entries]));
  const lines = said
    .flatMap((s) => `${s.stdout}\n${s.stderr}`.split('\n'))
    .filter((l) => /(ERROR|WARNING|CHECK):/.test(l));
  const broken = said.filter((s) => s.error || s.status === null || (s.status > 1 && !s.stdout));
  if (broken.length) throw new Error(`checkpatch.pl does not run: ${broken[0].stderr}`);
  return lines.map((l) => l.replace(`${source.dir}/`, ''));
}

function symbols(toolchain, file) {
  const rows = must(`${toolchain.prefix}nm`, [file]).trim().split('\n');
  const parsed = rows.map((r) => /([A-Za-z]) (\S+)$/.exec(r));
  return {
    defined: new Set(parsed.filter((m) => /[TtWD]/.test(m[1])).map((m) => m[2])),
    wanted: new Set(parsed.filter((m) => m[1] === 'U').map((m) => m[2])),
  };
}

/** What the objects hold: every stub, the dispatcher, and nothing wanted but the handlers and what the dispatcher names. */
function lookAtSymbols(document, out, toolchain, problems) {
  const of = (what) => document.generated.files.find((f) => f.what === what)?.path;
  const nvhe = document.era.kind !== 'function-pointer';
  const object = (p) => path.join(out, p.replace(/\.c$/, nvhe && p.includes('/nvhe/') ? '.nvhe.o' : '.o'));
  const fail = (text) => problems.push(text);
  let facts = '';
  const stubs = document.hypercalls.filter((h) => h.stub !== null && h.stubDetail?.style !== 'inline');
  if (of('stubs')) {
    const { defined } = symbols(toolchain, object(of('stubs')));
    for (const h of stubs) if (!defined.has(h.stub)) fail(`no '${h.stub}' in ${of('stubs')}`);
    facts += `${stubs.filter((h) => defined.has(h.stub)).length} of ${stubs.length} stubs`;
  }
  const dispatcher = fs.readFileSync(path.join(out, '../source', of('dispatcher')), 'latin1');
  const name = document.generated.glue.dispatcher;
  const { defined, wanted } = symbols(toolchain, object(of('dispatcher')));
  if (!defined.has(name)) fail(`no '${name}' in ${of('dispatcher')}`);
  const handlers = new Set(document.hypercalls.filter((h) => h.dispatch !== null).map((h) => h.handler));
  const others = document.interface.dispatcher.declarations.map((d) => /(\w+)\s*\(/.exec(d)[1]);
  const missing = [...handlers].filter((h) => !wanted.has(h) && !dispatcher.includes(`${h}(`));
  for (const h of missing) fail(`the dispatcher's object does not call '${h}'`);
  // What a macro of the kernel's (`kern_hyp_va`) wants, the kernel's own code beside it wants, too.
  const beside = path.dirname(object(of('dispatcher')));
  const neighbours = fs.readdirSync(beside).filter((f) => /^(hyp-main|switch|debug-sr)(\.nvhe)?\.o$/.test(f));
  for (const f of neighbours) others.push(...symbols(toolchain, path.join(beside, f)).wanted);
  for (const w of wanted) if (!handlers.has(w) && !others.includes(w)) fail(`the dispatcher's object wants '${w}'`);
  facts += `, dispatcher '${name}' calls ${[...handlers].filter((h) => wanted.has(h)).length} of ${handlers.size} handlers`;
  if (nvhe) {
    const whole = symbols(toolchain, path.join(out, KVM, 'hyp/nvhe/kvm_nvhe.o'));
    if (!whole.defined.has(`__kvm_nvhe_${name}`)) fail(`no '__kvm_nvhe_${name}' in kvm_nvhe.o`);
    else facts += `, '__kvm_nvhe_${name}' in kvm_nvhe.o`;
    if (document.era.kind === 'smccc') {
      const main = symbols(toolchain, path.join(out, KVM, 'hyp/nvhe/hyp-main.nvhe.o'));
      if (!main.wanted.has(name)) fail(`hyp-main.c does not call '${name}'`);
      else facts += ', called by hyp-main.c';
    }
  }
  return facts;
}

/** Emits for `revision`, lays the code into the folder, hands over to `action`, and takes it out again. */
async function withEmitted(o, source, set, revision, action) {
  const dir = path.join(o.work, `emit-${set}-${revision.replace(/\W+/g, '-')}`);
  const table = path.join(o.work, `${set}.json`);
  const common = ['--set', set, '--patches', o.patches, '--table', table, '--tree', o.tree, '--to', revision];
  const document = kport('hypercalls', ...common, '--emit', dir, '-f', '--json');
  const paths = (kind) => document.generated.files.filter((f) => f.kind === kind).map((f) => f.path);
  const fresh = paths('new');
  const entries = path.join(dir, 'entries.patch');
  const patch = (...more) => must('patch', [...more, '-p1', '--fuzz=0', '-i', entries], { cwd: source.dir });
  for (const f of fresh) {
    if (fs.existsSync(path.join(source.dir, f))) throw new Error(`${revision} has a file '${f}'`);
    fs.copyFileSync(path.join(dir, f), path.join(source.dir, f));
  }
  patch();
  try {
    return await action({ document, fresh, touched: paths('changed'), entries });
  } finally {
    patch('-R');
    for (const f of fresh) fs.rmSync(path.join(source.dir, f));
  }
}

const count = (diagnostics, severity) => diagnostics.filter((d) => d.severity === severity).length;
const tell = (d) => `${d.severity}: ${d.path ?? ''}:${d.line ?? ''} ${d.text}`;

/** `kport hypercalls --emit` in the bare tree: nothing may be said of it. */
async function emitted(o, bare, set, target, toolchain) {
  const { source, build } = bare;
  const problems = [];
  await withEmitted(o, source, set, target, async ({ document, fresh, touched, entries }) => {
    const style = checkpatch(source, fresh, entries);
    problems.push(...style.map((l) => `checkpatch: ${l}`));
    const members = addMembers(source, document);
    const made = await build.build([KVM]);
    const seen = made.diagnostics.filter((d) => !build.known.has(keyOf(d)));
    problems.push(...seen.map(tell));
    if (!made.ok && seen.length === 0) problems.push(`make failed: ${made.log.slice(-1000)}`);
    const facts = made.ok ? lookAtSymbols(document, build.out, toolchain, problems) : '';
    say(
      `${target} ${set}: era ${document.era.kind}, glue ${document.generated.glue.how}, ${fresh.length} new files and ` +
        `${touched.length} with entries: ${count(seen, 'error')} errors, ${count(seen, 'warning')} warnings, ` +
        `${style.length} checkpatch complaints in ${Math.round(made.milliseconds / 1000)} s; ${facts}` +
        (members.names.length ? `; members that the set adds: ${members.names.join(', ')}` : ''),
    );
    if (made.ok) await spoil(source, build, document, problems);
    members.undo();
  });
  return problems;
}

/** Members that stubs read and only the set adds: the bare tree gets them, as the port would. */
function addMembers(source, document) {
  const file = path.join(source.dir, 'arch/arm64/include/asm/kvm_host.h');
  const before = fs.readFileSync(file, 'latin1');
  let text = before;
  const names = new Set();
  for (const note of document.generated.notes) {
    const m = /in the target struct (\w+) has no '(\w+)', unless the set adds it/.exec(note);
    if (!m || names.has(m[2]) || !text.includes(`struct ${m[1]} {\n`)) continue;
    names.add(m[2]);
    text = text.replace(`struct ${m[1]} {\n`, (head) => `${head}\tu32 ${m[2]};\n`);
  }
  if (names.size) fs.writeFileSync(file, text, 'latin1');
  return { names: [...names], undo: () => names.size && fs.writeFileSync(file, before, 'latin1') };
}

/** Whether a mistake in the generated code would have been seen at all. */
async function spoil(source, build, document, problems) {
  const at = document.generated.files.find((f) => f.what === 'dispatcher').path;
  fs.appendFileSync(path.join(source.dir, at), 'static int kport_unused;\nint kport_spoilt = kport_nobody;\n');
  const made = await build.build([KVM]);
  const seen = made.diagnostics.filter((d) => d.path === at);
  for (const severity of ['error', 'warning']) {
    if (count(seen, severity) === 0) problems.push(`this test is blind: no ${severity} for a spoilt '${at}'`);
  }
}

/**
 * The tree that `kport apply` makes, with what it generated, and with what `--emit` gives for it on top: the declarations
 * of the set are there. The port is not complete, so only what is said of generated code counts.
 */
async function inPort(o, bare, set, target, toolchain) {
  const branch = `hypercalls-kernel/${set}-${target}`;
  const common = ['--set', set, '--patches', o.patches, '--tree', o.tree];
  kport('apply', ...common, '--to', target, '--branch', branch, '-f', '--json');
  const tree = await openTree(o.tree, branch);
  const kconfig = 'arch/arm64/Kconfig';
  await bare.source.become(bare.tree, tree);
  // The set brings its options itself.
  fs.writeFileSync(path.join(bare.source.dir, kconfig), await tree.read(kconfig), 'latin1');
  const problems = [];
  try {
    const build = new KernelBuild(bare.source, path.join(o.work, `port-${set}`), toolchain, o.jobs);
    fs.rmSync(build.out, { recursive: true, force: true });
    await withEmitted(o, bare.source, set, branch, async ({ document, fresh, touched }) => {
      const { option, stem } = document.interface;
      const configured = await build.configure(fragmentOf([...KVM_CONFIG, ...(option ? [option] : [])], [], ''));
      if (!configured.ok || (option && build.option(option) !== 'y')) {
        problems.push(`the port cannot be configured with ${option}`);
        return;
      }
      const made = await build.buildRegardless(async () => [KVM]);
      const texts = new Map();
      const lines = (p) => {
        const file = path.join(bare.source.dir, p);
        if (!texts.has(p)) texts.set(p, fs.existsSync(file) ? fs.readFileSync(file, 'latin1').split('\n') : []);
        return texts.get(p);
      };
      const before = new Map();
      for (const p of touched) before.set(p, new Set(((await tree.read(p)) ?? '').split('\n')));
      const call = new RegExp(`\\b(handle_)?${stem}_(hvc|hcall|hypercall)`);
      const isGenerated = (d) => {
        if (d.path === null) return false;
        if (fresh.includes(d.path) || d.path.endsWith(`asm/${stem}_hvc.h`)) return true;
        const text = lines(d.path);
        const line = text[d.line - 1] ?? '';
        // Entries, and the calls that were rewritten.
        if (call.test(line) || (before.has(d.path) && !before.get(d.path).has(line))) return true;
        // The function that stands behind the set's dispatcher.
        let from = d.line - 1;
        while (from > 0 && !/^[a-z].*\(/.test(text[from] ?? '')) from--;
        return new RegExp(`\\bhandle_${stem}_hvc\\(`).test(text[from]);
      };
      const seen = made.diagnostics.filter(isGenerated);
      problems.push(...seen.map((d) => `in the port: ${tell(d)}`));
      const objects = build.objects();
      const sources = fresh.filter((f) => f.endsWith('.c'));
      const whole = sources.filter((f) => objects.some((p) => p.startsWith(f.replace(/\.c$/, '.'))));
      // Without an object the compiler still read all of the source, after the errors of the headers before it.
      const headers = new Set(
        made.diagnostics.filter((d) => d.severity === 'error' && /\.h$/.test(d.path)).map((d) => d.path),
      );
      say(
        `${target} ${set}, ported: ${count(seen, 'error')} errors and ${count(seen, 'warning')} warnings in generated ` +
          `code, ${count(made.diagnostics, 'error')} errors elsewhere; objects of ${whole.length} of ${sources.length} ` +
          `generated sources${whole.length < sources.length ? `, errors in ${[...headers].join(', ')}` : ''}`,
      );
    });
  } finally {
    await bare.source.become(tree, bare.tree);
    tree.repo?.close();
  }
  return problems;
}

async function main() {
  const o = parse(process.argv.slice(2));
  if (!o.tree || o.sets.length === 0 || o.targets.length === 0) {
    console.error('error: nothing to build\nhint: give --tree REPO --set NAME and target kernels, v5.8 v5.10');
    process.exit(2);
  }
  o.bundled = o.patches === null;
  o.patches ??= path.join(__dirname, '../patches');
  const toolchain = await findToolchain(null);
  const missing = [...(toolchain ? [] : ['aarch64-linux-gnu-gcc']), ...(await missingTools())];
  if (missing.length) {
    // Not having built must never look like having built.
    console.error(`SKIPPED: ${missing.join(', ')} not on PATH`);
    process.exit(77);
  }
  const keep = o.work !== null;
  o.work = path.resolve(o.work ?? fs.mkdtempSync(path.join(os.tmpdir(), 'kport-hypercalls-')));
  fs.mkdirSync(o.work, { recursive: true });
  const problems = [];
  try {
    const options = new Set();
    for (const set of o.sets) {
      // A bundled set has a bundled base; a table needs no base any more.
      const base = o.bundled ? [] : ['--tree', o.tree];
      const table = path.join(o.work, `${set}.json`);
      const write = ['--extract', '--table', table, '-f'];
      const { interface: i } = kport('hypercalls', '--set', set, '--patches', o.patches, ...base, ...write, '--json');
      if (i.option) options.add(i.option);
    }
    for (const target of o.targets) {
      const bare = await bareBuild(o, target, [...options], toolchain);
      for (const set of o.sets) {
        const found = await emitted(o, bare, set, target, toolchain);
        problems.push(...found.map((p) => `${target} ${set}: ${p}`));
      }
      for (const set of o.ported ? o.sets : []) {
        const found = await inPort(o, bare, set, target, toolchain);
        problems.push(...found.map((p) => `${target} ${set}: ${p}`));
      }
      bare.tree.repo?.close();
    }
  } finally {
    if (!keep) fs.rmSync(o.work, { recursive: true, force: true });
  }
  for (const p of problems) say(`not as it should be: ${p}`);
  process.exitCode = problems.length ? 1 : 0;
}

main().catch((error) => {
  console.error(error);
  process.exit(2);
});
