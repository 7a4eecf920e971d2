import { lines, port } from './harness';

const C = 'kernel/ptrace.c';
const fn = (head: string, ...body: string[]) => lines(head, '{', ...body.map((l) => `\t${l}`), '}', '');
const filler = (n: number) => Array.from({ length: 8 }, (_, i) => `step_${n}_${i}(task);`);
const capable = (list: string, what: string, type = 'bool') =>
  fn(`static ${type} has_cap(${list})`, 'struct ns *ns = ns_of(1);', what);
const attach = (call: string) =>
  fn('static int attach(struct task *task, int mode)', ...filler(1), call, ...filler(2), 'return 0;');

const [PLAIN, OWN] = ['struct ns *ns, int mode', 'struct cred *cred, struct ns *ns, int mode'];
const OLD = capable(PLAIN, 'return mode & 1 ? able(ns, mode) : able(ns, 0);');
const NEW = capable(OWN, 'return mode & 1 ? able_by(cred, ns, mode) : able_by(cred, ns, 0);');
/** What upstream makes of the function: the set's change of it finds no place. */
const UPSTREAM = capable(PLAIN, 'return ns_able(ns, mode, current_cred(), &checks);');

const ported = async (own: string, call: string, target: string, was = 'if (has_cap(ns, mode))') => {
  const base = { [C]: OLD + attach(`${was}\n\t\tgoto ok;`) };
  const set = { [C]: own + attach(`${call}\n\t\tgoto ok;`) };
  const { hunks } = await port(base, set, { [C]: target + attach(`${was}\n\t\tgoto ok;`) });
  return hunks.map((h) => [h.outcome, h.confidence, h.message] as const);
};

test('a call of a function that the set changes, which found no place, passes what is not taken', async () => {
  const hunks = await ported(NEW, 'if (has_cap(cred, ns, mode))', UPSTREAM);
  expect(hunks.map(([outcome]) => outcome)).toEqual(['conflict', 'applied']);
  expect(hunks[1]!.slice(1)).toEqual([0.75, "passes 3 arguments to 'has_cap', which takes 2"]);
});

test('a call that wants an answer of what gives none', async () => {
  const now = capable(PLAIN, 'ns_able(ns, mode, current_cred(), &checks);', 'void');
  const gives = OLD.replace('static bool', 'static void').replace('return mode', 'mode');
  const base = { [C]: gives + attach('has_cap(ns, mode);') };
  const set = { [C]: OLD.replace('able(ns, 0)', 'able(ns, 1)') + attach('err = has_cap(ns, mode);') };
  const { hunks } = await port(base, set, { [C]: now + attach('has_cap(ns, mode);') });
  expect(hunks.map((h) => h.outcome)).toEqual(['conflict', 'applied']);
  expect(hunks[1]!.message).toBe("wants an answer of 'has_cap', which gives none in the target");
  expect(hunks[1]!.confidence).toBe(0.75);
});

test('nothing is said where the function is changed as well, or the set does not change it', async () => {
  const both = await ported(NEW, 'if (has_cap(cred, ns, mode))', OLD);
  expect(both.map(([, , message]) => message)).toEqual([null, null]);
  const alone = await ported(OLD, 'if (has_cap(ns, mode | 2))', UPSTREAM);
  expect(alone.map(([, , message]) => message)).toEqual([null]);
});

test('nor where the set passes as little itself', async () => {
  const hunks = await ported(NEW, 'if (!has_cap(ns, mode))', UPSTREAM);
  expect(hunks.map(([, , message]) => message).slice(1)).toEqual([null]);
});
