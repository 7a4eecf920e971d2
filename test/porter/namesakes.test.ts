import { lines, port } from './harness';

const BODY = ['\tdrain_inbox(box, 3);', '\tcount_stamps(box->stamps);', '\tclose_lid(box);'];
const OTHER = ['\tgrease_wheels(cart);', '\thitch_horses(cart, HORSES);', '\tcart->ready = true;'];
const fn = (name: string, arg: string, body: readonly string[]) => [
  `void ${name}(struct ${arg} *${arg})`,
  '{',
  ...body,
  '}',
  '',
];
const FILE = 'arch/arm64/kvm/post.c';
const guarded = [BODY[0]!, '#ifndef CONFIG_COREVISOR', BODY[1]!, '#endif', BODY[2]!];

describe('a name that another function has by now', () => {
  const base = { [FILE]: lines(...fn('empty', 'box', BODY), ...fn('ready', 'cart', OTHER)) };
  const patched = {
    [FILE]: lines(
      ...fn('empty', 'box', ['#ifndef CONFIG_COREVISOR', ...BODY, '#else', '\tcv_empty(box);', '#endif']),
      ...fn('ready', 'cart', OTHER),
    ),
  };

  it('is no place for a guard of its old body', async () => {
    const target = { [FILE]: lines(...fn('empty', 'cart', OTHER)) };
    const { hunks } = await port(base, patched, target);
    expect(hunks[0]).toMatchObject({ outcome: 'conflict' });
  });

  it('is one when the body is simply a new one', async () => {
    const fresh = fn('empty', 'box', ['\tshake(box);', '\tturn_over(box, TWICE);']);
    const { hunks } = await port(base, patched, { [FILE]: lines(...fresh, ...fn('ready', 'cart', OTHER)) });
    expect(hunks[0]!.outcome).toBe('merged');
  });
});

describe('guarded code whose function is gone', () => {
  const set = (own: readonly string[], rest: readonly string[]) => ({
    [FILE]: lines(...fn('empty', 'box', own), ...rest),
  });

  it('does not follow to a function that had the same code before', async () => {
    const twin = fn('empty_all', 'box', [...BODY, '\tlog_box(box);']);
    const { hunks } = await port(set(BODY, twin), set(guarded, twin), { [FILE]: lines(...twin) });
    expect(hunks[0]).toMatchObject({ outcome: 'conflict', target: [] });
  });

  it('follows to one that has it by now', async () => {
    const caller = (body: readonly string[]) =>
      fn('serve', 'box', ['\topen_counter(box);', ...body, '\tshut_counter(box);']);
    const { hunks } = await port(set(BODY, caller(['\tempty(box);'])), set(guarded, caller(['\tempty(box);'])), {
      [FILE]: lines(...caller(BODY)),
    });
    expect(hunks[0]).toMatchObject({
      outcome: 'relocated',
      target: [{ definition: 'serve' }],
    });
  });
});
