/** What a plan depends on. */
export interface PlanOptions {
  /** A name for the machine that is measured; it goes into every result. */
  machine: string;
  /** The kernel, as it goes into every result. */
  kernel: string;
  runs: number;
  /** Address of the measured system as the client sees it. */
  server: string;
  vcpus: number;
  memory: string;
}

/** The files of a plan: a checklist, the parameters, and scripts for the measured system and its client. Pure. */
export function planFiles(o: PlanOptions): Map<string, { text: string; executable: boolean }> {
  const script = (text: string) => ({ text, executable: true });
  return new Map([
    ['README.md', { text: readme(o), executable: false }],
    ['bench.env', { text: parameters(o), executable: false }],
    ['template.csv', { text: TEMPLATE, executable: false }],
    ['common.sh', { text: COMMON, executable: false }],
    ['micro.sh', script(MICRO)],
    ['local.sh', script(LOCAL)],
    ['server.sh', script(SERVER)],
    ['client.sh', script(CLIENT)],
  ]);
}

const quote = (text: string) => `'${text.replace(/'/g, "'\\''")}'`;

function parameters(o: PlanOptions): string {
  return `# Read by every script. Everything here can also be given in the environment.
: "\${MACHINE:=${o.machine}}"          # one name for one machine: results of two machines are never compared
: "\${KERNEL:=${o.kernel}}"
: "\${RUNS:=${o.runs}}"
: "\${SERVER:=${o.server}}"            # the measured system, as the client sees it
: "\${VCPUS:=${o.vcpus}}"
: "\${MEMORY:=${o.memory}}"
: "\${RESULTS:=results}"
# native, kvm or retrofitted: what is being measured right now. Has to be said for every run.
: "\${CONFIGURATION:?say which: CONFIGURATION=native, kvm or retrofitted}"
`;
}

const COMMON = `# Sourced by the scripts.
set -euo pipefail
cd "$(dirname "\${BASH_SOURCE[0]}")"
. ./bench.env
case $CONFIGURATION in native | kvm | retrofitted) ;; *)
  echo "error: CONFIGURATION is native, kvm or retrofitted, not '$CONFIGURATION'" >&2
  exit 2
  ;;
esac
mkdir -p "$RESULTS"

# need PROGRAM...: stops before anything is measured when one is missing.
need() {
  local missing=()
  for program in "$@"; do command -v "$program" >/dev/null || missing+=("$program"); done
  if ((\${#missing[@]})); then
    echo "error: not installed: \${missing[*]}" >&2
    exit 2
  fi
}

# repeat NAME COMMAND...: RUNS times, what it prints kept under a line that says what it was.
repeat() {
  local name=$1 out=$RESULTS/$1-$CONFIGURATION.txt
  shift
  echo "# kport-bench: benchmark=$name configuration=$CONFIGURATION machine=$MACHINE kernel=$KERNEL" >"$out"
  for ((run = 1; run <= RUNS; run++)); do
    echo "# run $run of $RUNS: $*" >>"$out"
    "$@" >>"$out" 2>&1 || {
      echo "error: run $run of $name failed; see $out" >&2
      exit 1
    }
  done
  echo "$out"
}
`;

const MICRO = `#!/usr/bin/env bash
# Micro-benchmarks: on the host, with kvm-unit-tests built in UNIT_TESTS. Not for CONFIGURATION=native: there is no
# hypervisor to call. Needs: arm64 with KVM, root, kvm-unit-tests ('./configure && make' there), qemu-system-aarch64.
. "$(dirname "$0")/common.sh"
: "\${UNIT_TESTS:?folder of kvm-unit-tests}"
[[ $CONFIGURATION != native ]] || { echo 'error: micro-benchmarks need kvm or retrofitted' >&2; exit 2; }
[[ -w /dev/kvm ]] || { echo 'error: /dev/kvm is not there or not writable' >&2; exit 2; }
need qemu-system-aarch64 taskset
micro() { (cd "$UNIT_TESTS" && ACCEL=kvm MAX_SMP=2 taskset -c "\${CPUS:-2,3}" ./arm/run arm/micro-bench.flat -smp 2); }
repeat micro micro
`;

const LOCAL = `#!/usr/bin/env bash
# kernbench and hackbench: natively or inside the guest. Needs: a kernel source in LINUX_SOURCE, gcc, make, hackbench
# (rt-tests). Limit native runs to VCPUS processors and MEMORY (boot with maxcpus= and mem=), or nothing is comparable.
. "$(dirname "$0")/common.sh"
: "\${LINUX_SOURCE:?folder of a kernel source to build}"
need make gcc hackbench
(($(nproc) == VCPUS)) || { echo "error: $(nproc) processors here, VCPUS is $VCPUS: native and guest must have the same" >&2; exit 2; }
build() {
  make -C "$LINUX_SOURCE" -s clean defconfig
  sync
  # The keyword of bash, not /usr/bin/time: it is there everywhere.
  TIMEFORMAT='real %R'
  time make -C "$LINUX_SOURCE" -s -j "$VCPUS" Image
}
repeat kernbench build
repeat hackbench hackbench -s 512 -l 200 -g 15 -f 25 -P
`;

const SERVER = `#!/usr/bin/env bash
# Starts the servers: natively or inside the guest. Needs the programs that are named below; leave out with SERVERS=…
. "$(dirname "$0")/common.sh"
for server in \${SERVERS:-netserver memcached redis-server}; do
  need "$server"
  case $server in
    netserver) netserver ;;
    memcached) memcached -d -u nobody -t "$VCPUS" -m 1024 -l 0.0.0.0 ;;
    redis-server) redis-server --daemonize yes --protected-mode no --save '' ;;
    *) echo "error: start '$server' by hand" >&2; exit 2 ;;
  esac
done
echo 'Apache, MySQL and MongoDB: start them as the system does, with an empty database; see README.md'
`;

const CLIENT = `#!/usr/bin/env bash
# Network benchmarks, on the client. Needs: a second machine with a link that the server cannot fill without work
# (10 Gbit/s was used in the papers), nothing else on that link. Leave out with BENCHMARKS=…
. "$(dirname "$0")/common.sh"
for benchmark in \${BENCHMARKS:-netperf apache memcached redis}; do
  case $benchmark in
    netperf)
      need netperf
      repeat netperf-tcp-rr netperf -H "$SERVER" -t TCP_RR -l 10
      repeat netperf-tcp-stream netperf -H "$SERVER" -t TCP_STREAM -l 10
      repeat netperf-tcp-maerts netperf -H "$SERVER" -t TCP_MAERTS -l 10
      ;;
    apache) need ab; repeat apache ab -n 100000 -c 100 "http://$SERVER/gcc.html" ;;
    memcached) need memtier_benchmark; repeat memcached memtier_benchmark -s "$SERVER" -p 11211 -P memcache_binary --hide-histogram ;;
    redis) need redis-benchmark; repeat redis redis-benchmark -h "$SERVER" -q -t get -n 1000000 ;;
    mysql) need sysbench; repeat mysql sysbench oltp_read_write --mysql-host="$SERVER" --tables=6 --threads=200 run ;;
    mongodb) : "\${YCSB:?folder of YCSB}"; repeat mongodb "$YCSB/bin/ycsb.sh" run mongodb -P "$YCSB/workloads/workloada" -p "mongodb.url=mongodb://$SERVER/ycsb" ;;
    *) echo "error: unknown benchmark '$benchmark'" >&2; exit 2 ;;
  esac
done
`;

const TEMPLATE = `benchmark,configuration,kernel,machine,unit,value,run,sample,published,source
`;

function readme(o: PlanOptions): string {
  return `# Measuring a retrofitted KVM

Machine ${quote(o.machine)}, kernel ${o.kernel}, ${o.runs} runs of everything, ${o.vcpus} processors and ${o.memory} of memory for
each configuration. Made by \`kport bench plan\`; kport has run none of it.

## What it takes

- An arm64 machine with KVM at EL2, and root on it. An emulated one gives no numbers worth printing.
- A second machine as client, on a link of its own, for everything in \`client.sh\`.
- Three systems on the same machine with the same file system: ${o.kernel} natively; ${o.kernel} with its own KVM;
  ${o.kernel} with the ported set. Same \`.config\` but for the set's options.
- kvm-unit-tests, qemu, rt-tests (hackbench), gcc, netperf, ab, memtier_benchmark, redis; for the rest sysbench and YCSB.
- About a day: the build alone takes minutes, times ${o.runs}, times three.

## Before each configuration

- [ ] Boot with \`maxcpus=${o.vcpus} mem=${o.memory}\` natively; give the guest \`-smp ${o.vcpus} -m ${o.memory}\`.
- [ ] Fixed frequency: \`cpupower frequency-set -g performance\`, no turbo, no other load.
- [ ] The guest's processors are pinned, one to one; vhost-net for its network, \`cache=none\` for its disk.
- [ ] \`uname -r\` is what KERNEL in \`bench.env\` says; write down firmware and \`.config\`.

## Run

\`\`\`sh
CONFIGURATION=kvm UNIT_TESTS=~/kvm-unit-tests ./micro.sh      # on the host: kvm, retrofitted
CONFIGURATION=native LINUX_SOURCE=~/linux ./local.sh          # native, then in the guest: kvm, retrofitted
CONFIGURATION=native ./server.sh                              # same three, and for each of them
CONFIGURATION=native ./client.sh                              # on the client
\`\`\`

## Then

\`\`\`sh
kport bench import results/*.txt --html measurements.html
kport report --tree DIR --pdf report.pdf --bench results/*.txt
\`\`\`

Numbers of your own go into a CSV file like \`template.csv\`: one row for each repetition. \`unit\` and \`machine\` must be
there. A number from a paper has \`published\` = yes and its \`source\`; it is listed, never plotted beside yours.
`;
}
