import path from 'node:path';
import { removeFolder, sizeOf } from '../../io/export';
import { readFile, writeFile } from '../../io/files';
import { run, which } from '../../io/process';
import { judge, skipped, type Check, type CheckResult, type Finding } from '../check';
import { BOOT_CONFIG, fragmentOf, KernelBuild } from '../build';
import { readConsole, type BootFacts } from '../console';
import { cpio } from '../cpio';
import type { Workshop } from '../workshop';

/** Our init's source. */
const INIT = path.join(__dirname, '../../../fixtures/boot/init.c');

/** Milliseconds that a boot may take; a good one takes a few seconds. */
const BOOT_LIMIT = 120_000;

/** Keeps gcc from making calls to `memset` and `memcpy` out of loops. */
const NO_MADE_CALLS = '-fno-tree-loop-distribute-patterns';

const FOLDER = 0o040755;
const PROGRAM = 0o100755;
const DEVICE = 0o020600;

/** Boots the ported kernel, its option on, and runs a guest in it. */
export function boot(workshop: Workshop, earlier: () => readonly CheckResult[]): Check {
  return {
    name: 'boot',
    async run(ctx) {
      const qemu = await which('qemu-system-aarch64');
      if (!qemu) return skipped('boot', 'qemu-system-aarch64 is not on PATH');
      const { dir, toolchain, jobs, config } = workshop.options;
      const init = path.join(dir, 'init');
      const made = await run(`${toolchain.prefix}gcc`, ['-static', '-O2', '-o', init, INIT], { timeoutMs: 60_000 });
      if (made.code !== 0)
        return skipped('boot', `no init: ${made.stderr.trim().split('\n')[0] ?? ''} (it needs a static C library)`);
      const out = path.join(dir, 'build-boot');
      removeFolder(out);
      const madeCalls = earlier().some((c) => c.findings.some((f) => f.kind === 'el2-compiler-call'));
      const build = new KernelBuild(
        await workshop.sources(),
        out,
        toolchain,
        jobs,
        madeCalls ? [`KCFLAGS=${NO_MADE_CALLS}`] : [],
      );
      const on = [...BOOT_CONFIG, ...ctx.options.slice(0, 1)];
      const steps: Record<string, number> = {};
      const configured = await build.configure(fragmentOf(on, [], config));
      steps.configure = configured.milliseconds;
      if (!configured.ok) return skipped('boot', 'the kernel cannot be configured: see compile-on');
      const lost = ['CONFIG_KVM', ...ctx.options.slice(0, 1)].filter((o) => build.option(o) !== 'y');
      if (lost.length) return skipped('boot', `${lost.join(' and ')} dropped out of the configuration`);
      const image = await build.image();
      steps.image = image.milliseconds;
      const file = path.join(out, 'arch/arm64/boot/Image');
      if (!image.ok) {
        const errors = image.diagnostics.filter((d) => d.severity === 'error');
        return judge(
          'boot',
          errors.length
            ? errors.map((d) => ({
                path: d.path ?? '',
                line: d.line,
                hunk: d.path && d.line ? ctx.hunkAt(d.path, d.line - 1) : null,
                definition: null,
                text: d.text,
                kind: 'no-image',
              }))
            : [finding('no-image', 'make Image failed without a word')],
          'no Image: it does not build as a whole',
        );
      }
      const initrd = path.join(dir, 'initrd.cpio');
      writeFile(
        initrd,
        cpio([
          { name: 'dev', mode: FOLDER, content: '' },
          { name: 'dev/console', mode: DEVICE, content: '', device: [5, 1] },
          { name: 'init', mode: PROGRAM, content: readFile(init) },
        ]),
      );
      const begun = performance.now();
      const args = bootArguments(file, initrd);
      const done = await run(qemu, args, { timeoutMs: BOOT_LIMIT, input: '' });
      steps.boot = Math.round(performance.now() - begun);
      const log = `${done.stdout.toString('latin1')}${done.stderr}`;
      const logFile = path.join(dir, 'console.log');
      writeFile(logFile, log);
      const facts = readConsole(log);
      const findings = judgeBoot(facts, done.timedOut, log);
      const note = madeCalls
        ? `; built with ${NO_MADE_CALLS} because of the compiler-made calls that el2-closure found`
        : '';
      return judge('boot', findings, `${summary(facts)} in ${Math.round(steps.boot / 1000)} s${note}`, {
        ...{ facts: facts.facts, kernel: facts.kernel, hyp: facts.hyp, crash: facts.crash, timedOut: done.timedOut },
        ...{ imageBytes: sizeOf(file), milliseconds: steps, lastLines: log.trimEnd().split('\n').slice(-15) },
      });
    },
  };
}

/** Two processors and 4 GB: what the known sets lay out their memory for. */
export function bootArguments(image: string, initrd: string): string[] {
  return [
    ...['-machine', 'virt,virtualization=on,gic-version=2', '-cpu', 'cortex-a57', '-smp', '2', '-m', '4096'],
    ...['-nographic', '-no-reboot', '-nic', 'none', '-kernel', image, '-initrd', initrd],
    ...['-append', 'console=ttyAMA0 earlycon=pl011,0x9000000 panic=-1'],
  ];
}

function summary(f: BootFacts): string {
  const guest = f.facts.guest ? `guest ${f.facts.guest}` : 'no guest ran';
  const read = f.facts['host-read'] ? `, host's read of its page: ${f.facts['host-read']}` : '';
  const probe = f.facts.probe && !f.facts.probe.startsWith('none') ? `, probe answers ${f.facts.probe}` : '';
  return `${f.kernel ?? 'no kernel'}: ${f.hyp ?? 'no word of EL2'}, ${guest}${read}${probe}`;
}

/** What did not get as far as it should. */
export function judgeBoot(f: BootFacts, timedOut: boolean, log: string): Finding[] {
  const findings: Finding[] = [];
  const last = log.trimEnd().split('\n').pop()?.trim().slice(0, 100) ?? '';
  if (f.kernel === null) findings.push(finding('no-start', `the kernel says nothing; last line: '${last}'`));
  if (f.crash !== null) findings.push(finding('crash', f.crash));
  if (f.kernel !== null && (f.hyp === null || !/initialized/i.test(f.hyp) || /error/i.test(f.hyp))) {
    findings.push(finding('no-hyp', f.hyp ?? 'KVM says nothing of EL2'));
  }
  if (f.kernel !== null && f.facts.init === undefined)
    findings.push(finding('no-init', `init was not reached; last line: '${last}'`));
  if (f.facts.init !== undefined && f.facts.guest !== 'ran') {
    const why = Object.entries(f.facts).find(([, v]) => v.startsWith('failed'));
    findings.push(finding('no-guest', `no guest ran${why ? `: ${why[0]} ${why[1]}` : ''}`));
  }
  if (f.facts['host-read'] === 'allowed') {
    findings.push(
      finding(
        'host-read-review',
        "the host reads the guest's page: right for plain KVM, not for a set that protects guests",
      ),
    );
  }
  if (timedOut && !findings.some((x) => x.kind === 'no-init')) {
    const refused = f.facts['host-read'] === 'trying';
    findings.push(
      finding(
        refused ? 'host-read-review' : 'hang',
        refused
          ? "the host's read of the guest's page did not come back: refused, and the reader hangs"
          : `time limit; last line: '${last}'`,
      ),
    );
  }
  return findings;
}

function finding(kind: string, text: string): Finding {
  return { path: '', line: null, hunk: null, definition: null, text, kind };
}
