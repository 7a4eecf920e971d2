import { benchmarkOf, configurationOf, unitOf } from './known';
import type { Configuration } from '../schema/bench';

/** One repetition. */
export interface Measurement {
  file: string;
  line: number | null;
  benchmark: string;
  kind: 'micro' | 'application';
  configuration: Configuration;
  kernel: string;
  machine: string;
  unit: string;
  value: number;
  sample: boolean;
}

/** A number that somebody published. */
export interface Published {
  benchmark: string;
  configuration: string;
  kernel: string;
  value: number;
  unit: string;
  source: string;
}

export interface Refused {
  file: string;
  line: number | null;
  reason: string;
}

/** What a file gave. */
export interface Read {
  measurements: Measurement[];
  published: Published[];
  refused: Refused[];
}

/** Reads one file of measurements: CSV, or what a benchmark printed under a `# kport-bench:` line. Never throws. */
export function readMeasurements(file: string, text: string): Read {
  const head = headOf(text);
  if (head) return readRaw(file, text, head);
  const first = text.split('\n').find((l) => l.trim() !== '' && !l.startsWith('#')) ?? '';
  if (/(^|,)\s*"?benchmark"?\s*(,|$)/i.test(first)) return readCsv(file, text);
  const reason =
    "neither CSV with a 'benchmark' column nor raw output under a line '# kport-bench: configuration=… machine=… kernel=…'";
  return { measurements: [], published: [], refused: [{ file, line: null, reason }] };
}

interface Row {
  benchmark?: string;
  configuration?: string;
  kernel?: string;
  machine?: string;
  unit?: string;
  value?: string;
  sample?: string;
  published?: string;
  source?: string;
}

function readCsv(file: string, text: string): Read {
  const read: Read = { measurements: [], published: [], refused: [] };
  let columns: string[] | null = null;
  const seen = new Set<string>();
  text.split('\n').forEach((raw, i) => {
    const line = raw.replace(/\r$/, '');
    if (line.trim() === '' || line.startsWith('#')) return;
    const fields = fieldsOf(line);
    if (!columns) {
      columns = fields.map((f) => f.toLowerCase());
      return;
    }
    const row = Object.fromEntries(columns.map((c, n) => [c, fields[n] ?? ''])) as Row & { run?: string };
    const where = { file, line: i + 1 };
    if (row.run) {
      const twin = [row.benchmark, row.configuration, row.kernel, row.machine, row.run].join('\0');
      if (seen.has(twin)) {
        read.refused.push({ ...where, reason: `run ${row.run} of this benchmark is there twice` });
        return;
      }
      seen.add(twin);
    }
    take(read, row, where);
  });
  if (columns === null) read.refused.push({ file, line: null, reason: 'it is empty' });
  return read;
}

/** Checks one row and puts it where it belongs. */
function take(read: Read, row: Row, where: { file: string; line: number | null }): void {
  const refuse = (reason: string) => void read.refused.push({ ...where, reason });
  if (!row.benchmark) return refuse('no benchmark');
  const { name, kind } = benchmarkOf(row.benchmark);
  if (!row.unit) return refuse(`${name}: no unit`);
  const unit = unitOf(row.unit);
  if (unit === null) return refuse(`${name}: unknown unit '${row.unit}'`);
  if (kind === 'micro' && !['cycles', 'ns', 'us'].includes(unit)) {
    return refuse(`${name}: a micro-benchmark is in cycles or ns, not '${unit}'`);
  }
  const value = row.value && /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(row.value) ? Number(row.value) : NaN;
  if (!Number.isFinite(value)) return refuse(`${name}: '${row.value ?? ''}' is no number`);
  if (value < 0) return refuse(`${name}: negative value ${row.value}`);
  if (value === 0) return refuse(`${name}: zero is no measurement`);
  const kernel = row.kernel || 'unknown';
  if (isYes(row.published)) {
    if (!row.source) return refuse(`${name}: a published number without its source`);
    read.published.push({
      ...{ benchmark: name, configuration: row.configuration ?? '', kernel, value, unit, source: row.source },
    });
    return;
  }
  const configuration = row.configuration ? configurationOf(row.configuration) : null;
  if (configuration === null) {
    return refuse(`${name}: configuration '${row.configuration ?? ''}' is not native, kvm or retrofitted`);
  }
  if (!row.machine) return refuse(`${name}: no machine`);
  read.measurements.push({
    ...{ ...where, benchmark: name, kind, configuration, kernel, machine: row.machine, unit, value },
    sample: isYes(row.sample),
  });
}

const isYes = (text: string | undefined) => /^(yes|true|1)$/i.test(text ?? '');

function fieldsOf(line: string): string[] {
  const fields = [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)].map((m) => m[1]!.trim());
  // The pattern also matches the nothing at the end of the line.
  if (!line.endsWith(',')) fields.pop();
  return fields.map((f) => (f.startsWith('"') ? f.slice(1, -1).replace(/""/g, '"') : f));
}

/** `# kport-bench: machine=m1 configuration=kvm kernel=v5.10 …`: what the scripts of `kport bench plan` write on top. */
function headOf(text: string): Record<string, string> | null {
  const m = /^# kport-bench:(.*)$/m.exec(text);
  if (!m) return null;
  const pairs = [...m[1]!.matchAll(/(\w+)=("[^"]*"|\S+)/g)];
  return Object.fromEntries(pairs.map((p) => [p[1]!, p[2]!.replace(/^"|"$/g, '')]));
}

/** What a program prints, and what it means. The first that fits a line is taken. */
const PRINTED: readonly { match: RegExp; benchmark: string | null; unit: string; value: number }[] = [
  // kvm-unit-tests, arm/micro-bench.c: name, total ns, average ns
  { match: /^(hvc|mmio_read_user|mmio_read_vgic|ipi)\s+[\d.]+\s+([\d.]+)\s*$/, benchmark: null, unit: 'ns', value: 2 },
  // The same tests where they count cycles: name, cycles
  {
    match: /^(hypercall|i\/o kernel|i\/o user|virtual ipi|hvc|ipi)[\s:]+(-?[\d.]+)\s*cycles\s*$/i,
    benchmark: null,
    unit: 'cycles',
    value: 2,
  },
  { match: /^Time:\s+(-?[\d.]+)\s*$/, benchmark: 'hackbench', unit: 's', value: 1 },
  { match: /^Elapsed Time\s+(-?[\d.]+)/, benchmark: 'kernbench', unit: 's', value: 1 },
  { match: /^real\s+(-?[\d.]+)\s*$/, benchmark: 'kernbench', unit: 's', value: 1 },
  { match: /^Requests per second:\s+([\d.]+)\s+\[#\/sec\]/, benchmark: 'apache', unit: 'requests/s', value: 1 },
  { match: /^TPS:\s+([\d.]+)/, benchmark: 'memcached', unit: 'ops/s', value: 1 },
  { match: /^Totals\s+([\d.]+)\s/, benchmark: 'memcached', unit: 'ops/s', value: 1 },
  { match: /^\s*transactions:\s+\d+\s+\(([\d.]+) per sec\.\)/, benchmark: 'mysql', unit: 'transactions/s', value: 1 },
  { match: /^\[OVERALL\], Throughput\(ops\/sec\), ([\d.]+)/, benchmark: 'mongodb', unit: 'ops/s', value: 1 },
];

/** Lines that say which of its several tests a program speaks of: results of two of them are no repetitions of one. */
const PARTS: readonly { match: RegExp; part: (m: RegExpExecArray) => string }[] = [
  { match: /^Average (Half|Optimal|Maximal) load\b/, part: (m) => m[1]!.toLowerCase() },
  { match: /^Command line:.*\s-(load|t)\b/, part: (m) => (m[1] === 'load' ? 'load' : '') },
  { match: /^=+ (.*?) =+$/, part: (m) => partName(m[1]!) },
];

const partName = (text: string) =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');

function readRaw(file: string, text: string, head: Record<string, string>): Read {
  const read: Read = { measurements: [], published: [], refused: [] };
  let netperf: { benchmark: string; unit: string } | null = null;
  let part = '';
  text.split('\n').forEach((raw, i) => {
    // Some programs write their progress over itself; what was last on the line is what stayed.
    const line = raw.replace(/\r$/, '').split('\r').pop()!;
    const where = { file, line: i + 1 };
    const give = (benchmark: string, unit: string, value: string) =>
      take(read, { ...head, benchmark, unit, value }, where);
    if (/^MIGRATED TCP (STREAM|MAERTS|SENDFILE) TEST/.test(line)) {
      const kind = line.split(' ')[2]!.toLowerCase();
      netperf = { benchmark: `netperf-tcp-${kind}`, unit: 'Mbit/s' };
    } else if (/^MIGRATED TCP REQUEST\/RESPONSE TEST/.test(line)) {
      netperf = { benchmark: 'netperf-tcp-rr', unit: 'transactions/s' };
    } else if (netperf?.unit === 'Mbit/s' && /\bThroughput\b|\/sec\s*$/.test(line)) {
      // netperf's -f gives other units than its default; the heading says so.
      const unit = /(\S+)\/sec\s*$/.exec(line)?.[1];
      if (unit !== undefined && unit !== '10^6bits') netperf.unit = `${unit}/sec`;
    } else if (netperf && /^\s*\d+(\s+[\d.]+){4,5}\s*$/.test(line)) {
      give(netperf.benchmark, netperf.unit, line.trim().split(/\s+/).pop()!);
      netperf = null;
    } else {
      const of = (name: string) => (part ? `${name}-${part}` : name);
      for (const p of PARTS) {
        const m = p.match.exec(line);
        if (m) part = p.part(m);
      }
      const time = /^real\s+(\d+)m([\d.]+)s\s*$/.exec(line);
      if (time) return give(head.benchmark ?? 'kernbench', 's', String(Number(time[1]) * 60 + Number(time[2])));
      const redis =
        /^([A-Z][\w ()-]*?): ([\d.]+) requests per second/.exec(line) ??
        /^\s+(?:throughput summary: )?()([\d.]+) requests per second/.exec(line);
      if (redis) {
        const test = redis[1] ? partName(redis[1]) : part;
        const name = head.benchmark ?? 'redis';
        return give(test ? `${name}-${test}` : name, 'requests/s', redis[2]!);
      }
      for (const p of PRINTED) {
        const m = p.match.exec(line);
        if (!m) continue;
        // Several programs print the same line; what the scripts wrote on top decides then.
        give(p.benchmark === null ? m[1]! : of(head.benchmark ?? p.benchmark), p.unit, m[p.value]!);
        break;
      }
    }
  });
  if (read.measurements.length + read.refused.length === 0) {
    read.refused.push({ file, line: null, reason: 'no line of it is a result that kport knows' });
  }
  return read;
}
