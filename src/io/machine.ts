import { cpus, freemem } from 'node:os';

/** What this machine has to give right now. */
export function machine(): { cpus: number; freeMegabytes: number } {
  return { cpus: cpus().length, freeMegabytes: Math.floor(freemem() / 1_048_576) };
}

/** The most memory that this process has held so far, in megabytes. */
export function peakMegabytes(): number {
  return Math.round(process.resourceUsage().maxRSS / 1024);
}
