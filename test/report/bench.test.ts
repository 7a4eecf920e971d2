import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { benchReport, deviation, mean } from '../../src/report/bench/groups';
import { benchPage, benchRows } from '../../src/report/bench/html';
import { planFiles } from '../../src/report/bench/plan';
import { plotsOf } from '../../src/report/bench/plot';
import { readMeasurements } from '../../src/report/bench/read';
import { BenchSchema } from '../../src/report/schema/bench';

const HEAD = 'benchmark,configuration,kernel,machine,unit,value,run,sample,published,source\n';
const csv = (...rows: string[]) => benchReport([readMeasurements('x.csv', `${HEAD}${rows.join('\n')}\n`)]);
const raw = (head: string, text: string) =>
  readMeasurements('x.txt', `# kport-bench: machine=m1 kernel=v5.10 ${head}\n${text}`).measurements.map((m) => [
    m.benchmark,
    m.value,
    m.unit,
  ]);
const three = (row: (n: number) => string) => [1, 2, 3].map(row);

const SAMPLE = path.join(__dirname, '../../fixtures/bench/sample.csv');

describe('measurements that are fine', () => {
  it('are normalised to native, or to KVM where there is no native', () => {
    const report = csv(
      ...three((n) => `hackbench,native,v5.10,m1,s,${10 + n},${n},,,`),
      ...three((n) => `hackbench,sekvm,v5.10,m1,s,${20 + 2 * n},${n},,,`),
      ...three((n) => `hypercall,kvm,v5.10,m1,cycles,${1000 * n},${n},,,`),
      ...three((n) => `hypercall,retrofitted,v5.10,m1,cycles,${2000 * n},${n},,,`),
    );
    expect(BenchSchema.parse(report)).toEqual(report);
    expect(report.groups.map((g) => [g.benchmark, g.kind, g.baseline, g.plotted])).toEqual([
      ['hypercall', 'micro', 'kvm', true],
      ['hackbench', 'application', 'native', true],
    ]);
    expect(report.groups[1]!.series[1]!.normalised!.mean).toBeCloseTo(2);
    expect(plotsOf(report)).toHaveLength(2);
  });

  it('show a cost that grows as throughput falls', () => {
    const report = csv(
      ...three((n) => `apache,native,v5.10,m1,requests/s,1000,${n},,,`),
      ...three((n) => `apache,kvm,v5.10,m1,requests/s,500,${n},,,`),
    );
    expect(report.groups[0]!.series.map((s) => s.normalised!.mean)).toEqual([1, 2]);
  });

  it('may be what the programs print', () => {
    expect(raw('configuration=kvm', 'hvc    168674516.0     2573.0\nipi  1.0  30000.5 \n')).toEqual([
      ['hypercall', 2573, 'ns'],
      ['virtual-ipi', 30000.5, 'ns'],
    ]);
    expect(raw('configuration=kvm', 'Hypercall: 2896 cycles\n')).toEqual([['hypercall', 2896, 'cycles']]);
    expect(raw('configuration=kvm', 'Time: 12.345\nTime: 12.5\n')).toEqual([
      ['hackbench', 12.345, 's'],
      ['hackbench', 12.5, 's'],
    ]);
    expect(raw('configuration=native', 'Requests per second:    1234.56 [#/sec] (mean)\n')).toEqual([
      ['apache', 1234.56, 'requests/s'],
    ]);
    const stream = `MIGRATED TCP STREAM TEST from 0.0.0.0 () port 0 AF_INET to 10.0.0.1 () port 0 AF_INET
Recv   Send    Send
bytes  bytes   bytes    secs.    10^6bits/sec

131072  16384  16384    10.00    9413.47
`;
    expect(raw('configuration=kvm', stream)).toEqual([['netperf-tcp-stream', 9413.47, 'Mbit/s']]);
    expect(raw('configuration=kvm benchmark=redis', 'GET: 99800.40 requests per second, p50=0.255 msec\n')).toEqual([
      ['redis-get', 99800.4, 'requests/s'],
    ]);
  });

  it('are not mixed when one program runs several tests', () => {
    const redis =
      'GET: rps=1.0 (overall: 2.0)\rGET: 5.5 requests per second, p50=0.2 msec\nSET: 4.5 requests per second\n';
    expect(raw('configuration=kvm', redis).map(([name]) => name)).toEqual(['redis-get', 'redis-set']);
    const long =
      '====== PING_INLINE ======\n  100000 requests completed in 1.01 seconds\n  throughput summary: 7.5 requests per second\n';
    expect(raw('configuration=kvm', long)).toEqual([['redis-ping-inline', 7.5, 'requests/s']]);
    const loads =
      'Average Half load -j 2 Run (std deviation):\nElapsed Time 95.1 (0.9)\nAverage Optimal load -j 16 Run (std deviation):\nElapsed Time 60.2 (0.4)\n';
    expect(raw('configuration=kvm', loads).map(([name]) => name)).toEqual(['kernbench-half', 'kernbench-optimal']);
    const ycsb = (flag: string) =>
      `Command line: -db x.Client ${flag} -P workloada\n[OVERALL], Throughput(ops/sec), 812.5\n`;
    expect(raw('configuration=kvm', ycsb('-load') + ycsb('-t')).map(([name]) => name)).toEqual([
      'mongodb-load',
      'mongodb',
    ]);
  });

  it("may be bash's time in minutes, and netperf's in its default unit alone", () => {
    expect(raw('configuration=kvm', 'real\t2m3.500s\nuser\t1m0.0s\n')).toEqual([['kernbench', 123.5, 's']]);
    const netperf = (unit: string) =>
      readMeasurements(
        'x.txt',
        `# kport-bench: machine=m1 kernel=v5.10 configuration=kvm\nMIGRATED TCP MAERTS TEST from a to b\nbytes bytes bytes secs. ${unit}/sec\n\n131072 16384 16384 10.00 9.41\n`,
      );
    expect(netperf('10^6bits').refused).toEqual([]);
    expect(netperf('10^9bits').measurements).toEqual([]);
    expect(netperf('10^9bits').refused[0]!.reason).toContain("unknown unit '10^9bits/sec'");
  });
});

describe('measurements that are not fine', () => {
  it.each([
    ['hackbench,native,v5.10,m1,,10,1,,,', 'no unit'],
    ['hackbench,native,v5.10,m1,parsec,10,1,,,', "unknown unit 'parsec'"],
    ['hackbench,native,v5.10,m1,s,-3,1,,,', 'negative value -3'],
    ['hackbench,native,v5.10,m1,s,0,1,,,', 'zero is no measurement'],
    ['hackbench,native,v5.10,m1,s,fast,1,,,', "'fast' is no number"],
    ['hackbench,native,v5.10,,s,10,1,,,', 'no machine'],
    ['hackbench,xen,v5.10,m1,s,10,1,,,', "configuration 'xen'"],
    ['hypercall,kvm,v5.10,m1,s,10,1,,,', 'a micro-benchmark is in cycles or ns'],
    ['hypercall,kvm,v5.10,m1,cycles,10,1,,yes,', 'a published number without its source'],
  ])('are refused: %s', (row, reason) => {
    const report = csv(row);
    expect(report.groups).toEqual([]);
    expect(report.published).toEqual([]);
    expect(report.refused).toEqual([{ file: 'x.csv', line: 2, reason: expect.stringContaining(reason) }]);
  });

  it('are refused when a run is there twice', () => {
    const report = csv('hackbench,kvm,v5.10,m1,s,10,1,,,', 'hackbench,kvm,v5.10,m1,s,10,1,,,');
    expect(report.refused).toMatchObject([{ line: 3, reason: expect.stringContaining('twice') }]);
  });

  it.each([
    ['one repetition', [...three((n) => `hackbench,native,v5.10,m1,s,10,${n},,,`), 'hackbench,kvm,v5.10,m1,s,11,1,,,']],
    [
      'mixed machines',
      [
        ...three((n) => `hackbench,native,v5.10,m1,s,10,${n},,,`),
        ...three((n) => `hackbench,kvm,v5.10,m2,s,11,${n},,,`),
      ],
    ],
    [
      'mixed units',
      [
        ...three((n) => `hackbench,native,v5.10,m1,s,10,${n},,,`),
        ...three((n) => `hackbench,kvm,v5.10,m1,ms,11,${n},,,`),
      ],
    ],
    ['neither native nor KVM', three((n) => `hackbench,sekvm,v5.10,m1,s,10,${n},,,`)],
  ])('are marked and never plotted: %s', (mark, rows) => {
    const report = csv(...rows);
    expect(report.groups[0]).toMatchObject({ plotted: false });
    expect(report.groups[0]!.marks.join()).toContain(mark);
    expect(plotsOf(report)).toEqual([]);
    for (const row of benchRows(report).rows) expect(row.join()).toContain('not plotted');
    expect(benchPage(report)).not.toContain('<svg');
  });

  it('carry the remark on every row that it concerns, and on no other', () => {
    const remarks = (...rows: string[]) => benchRows(csv(...rows)).rows.map((r) => r[7]);
    const mixed = ['m1', 'm2'].map((m, i) => three((n) => `hackbench,${i ? 'kvm' : 'native'},v5.10,${m},s,10,${n},,,`));
    const words = 'not plotted; mixed machines: m1, m2';
    expect(remarks(...mixed.flat())).toEqual([words, words]);
    expect(
      remarks(...three((n) => `hackbench,native,v5.10,m1,s,10,${n},,,`), 'hackbench,kvm,v5.10,m1,s,11,1,,,'),
    ).toEqual(['not plotted', 'not plotted; kvm: one repetition, so nothing is known of its spread']);
  });

  it('are refused as files that say nothing of where they come from', () => {
    const { refused } = readMeasurements('x.txt', 'Time: 12.3\n');
    expect(refused[0]!.reason).toContain('kport-bench');
  });

  it('get a remark when they are noisy', () => {
    const report = csv(
      ...three((n) => `hackbench,native,v5.10,m1,s,${10 * n},${n},,,`),
      ...three((n) => `hackbench,kvm,v5.10,m1,s,11,${n},,,`),
    );
    expect(report.groups[0]).toMatchObject({ plotted: true, marks: [expect.stringContaining('noisy')] });
  });
});

describe('the sample', () => {
  const report = benchReport([readMeasurements('sample.csv', readFileSync(SAMPLE, 'utf8'))]);

  it('is marked as sample wherever it shows', () => {
    expect(report.refused).toEqual([]);
    expect(report.groups.every((g) => g.sample && g.plotted)).toBe(true);
    for (const plot of plotsOf(report)) {
      expect(plot.shapes.some((s) => s.kind === 'text' && s.text.includes('SAMPLE, NOT MEASURED'))).toBe(true);
    }
    expect(benchPage(report)).toContain('Nothing here was measured');
  });

  it('keeps published numbers apart, with their source', () => {
    const published = csv('hypercall,kvm,v4.18,paper,cycles,100,,,yes,"Somebody, A Paper, 2021"');
    expect(published.groups).toEqual([]);
    expect(published.published).toMatchObject([{ value: 100, source: 'Somebody, A Paper, 2021' }]);
    expect(benchPage(published)).toContain('Somebody, A Paper, 2021');
  });
});

describe('the plan', () => {
  const files = planFiles({ machine: 'm1', kernel: 'v5.10', runs: 5, server: '10.0.0.1', vcpus: 4, memory: '12G' });

  it('holds scripts that bash can read, and says that nothing was run', () => {
    for (const [name, file] of files) {
      if (!name.endsWith('.sh')) continue;
      expect([name, spawnSync('bash', ['-n'], { input: file.text, encoding: 'utf8' }).stderr]).toEqual([name, '']);
    }
    expect(files.get('README.md')!.text).toContain('kport has run none of it');
  });

  it('writes results that the import reads', () => {
    expect(files.get('common.sh')!.text).toContain('# kport-bench: benchmark=');
  });
});

it('mean and deviation are those of a sample', () => {
  expect(mean([2, 4, 4, 4, 5, 5, 7, 9])).toBe(5);
  expect(deviation([2, 4, 4, 4, 5, 5, 7, 9])).toBeCloseTo(2.138, 3);
  expect(deviation([1])).toBe(0);
});
