import { lines, port } from './harness';

const C = 'kernel/agent.c';
const release = (gives: string, check: string, next: string, ...more: string[]) =>
  lines(
    'void release(struct root *root)',
    '{',
    '\tchar *path, *agent;',
    '\tint ret;',
    '',
    '\tpath = kmalloc(PATH_MAX, GFP_KERNEL);',
    ...more,
    `\tagent = ${gives};`,
    `\tif (${check})`,
    `\t\tgoto ${next};`,
    '',
    '\tret = run(agent, path);',
    '\treport(ret);',
    'out_free:',
    '\tkfree(agent);',
    '\tkfree(path);',
    '}',
  );
const CHECK = '!path || !agent';
const OWN = '!path || !agent || !strlen(agent)';
const GIVES = 'kstrdup(root->agent, GFP_KERNEL)';
const ported = async (upstream: string, own = release(GIVES, OWN, 'out')) => {
  const { files, hunks } = await port({ [C]: release(GIVES, CHECK, 'out') }, { [C]: own }, { [C]: upstream });
  expect(files[C]).toContain('strlen(agent)');
  return hunks[0]!;
};

describe('a line that is the same, between others', () => {
  test('works on another value: said, and less sure', async () => {
    const hunk = await ported(release('kmalloc(PATH_MAX, GFP_KERNEL)', CHECK, 'out_free'));
    expect(hunk.confidence).toBeLessThanOrEqual(0.75);
    expect(hunk.message).toBe(
      "'agent' is 'kmalloc(PATH_MAX, GFP_KERNEL)' here in the target, 'kstrdup(root->agent, GFP_KERNEL)' in the base",
    );
  });

  test.each([
    ['works on the same value', release(GIVES, CHECK, 'out_free').replace(`${GIVES};`, `${GIVES};\n\tcount(root);`)],
    ['has one of its neighbours still', release('kmalloc(PATH_MAX, GFP_KERNEL)', CHECK, 'out')],
    ['has other code around it, far from the value', release(GIVES, CHECK, 'out_free', '\tlock(root);')],
  ])('is as sure as it was where it %s', async (_, upstream) => {
    const hunk = await ported(upstream);
    expect(hunk.confidence).toBeGreaterThanOrEqual(0.9);
    expect(hunk.message).toBeNull();
  });

  test('says nothing of what the set assigns itself', async () => {
    const own = release('own_dup(root)', OWN, 'out');
    const { hunks } = await port(
      { [C]: release(GIVES, CHECK, 'out') },
      { [C]: own },
      { [C]: release(GIVES, CHECK, 'out_free').replace('\tpath = k', '\tcount(root);\n\tpath = k') },
    );
    expect(hunks.map((h) => h.message ?? '').join()).not.toContain('here in the target');
  });
});
