/** What a boot got to, as the console says it. */
export interface BootFacts {
  /** The kernel said something. */
  kernel: string | null;
  /** KVM's own word about EL2. */
  hyp: string | null;
  /** `KPORT name: value` lines of our init, the last of each name. */
  facts: Record<string, string>;
  /** The first sign of a crash; null when there is none. */
  crash: string | null;
}

const HYP =
  /(Hyp mode initialized successfully|VHE mode initialized successfully|HYP mode not available|Hyp nVHE mode initialized.*|error initializing Hyp mode.*|Invalid HYP mode.*)/i;
const CRASH =
  /(Kernel panic.*|Internal error:.*|Unable to handle kernel.*|HYP panic.*|BUG: .*|Unexpected .* exception.*|Bad mode in.*)/;

/** Reads a console log. */
export function readConsole(log: string): BootFacts {
  const found: BootFacts = { kernel: null, hyp: null, facts: {}, crash: null };
  for (const raw of log.split('\n')) {
    const line = raw.replace(/\x1b\[[\d;]*[A-Za-z]/g, '').trimEnd();
    found.kernel ??= /Linux version (\S+)/.exec(line)?.[1] ?? null;
    found.hyp ??= HYP.exec(line)?.[1] ?? null;
    const fact = /KPORT ([\w-]+): (.*)$/.exec(line);
    if (fact) found.facts[fact[1]!] = fact[2]!;
    // A refused read may well be told as a fault of the reading process: that is no crash.
    else if (found.facts['host-read'] === undefined) found.crash ??= CRASH.exec(line)?.[1] ?? null;
  }
  return found;
}
