import { lines, port, type Texts } from './harness';

const OLD = 'virt/kvm/arm/map.c';
const NEW = 'arch/arm64/kvm/map.c';
const fn = (head: string, ...body: string[]) =>
  lines(head, '{', ...body.map((l) => (/^#/.test(l) ? l : `\t${l}`)), '}', '');
const work = ['walk_down(mm, from, size);', 'flush_all(mm);'];
const added = ['#ifdef CONFIG_SET', 'tell_set(mm, from, size);', '#endif'];
const unmap = (...body: string[]) => fn('static void unmap(struct mm *mm, u64 from, u64 size)', ...body);
const notify = (name: string) => fn('int notify(struct mm *mm)', `${name}(mm, 0, 1);`, 'return 0;');
const release = (...body: string[]) => fn('void release(struct mm *mm)', ...body, 'mm->gone = true;');
const base = unmap(...work) + notify('unmap') + release('unmap(mm, 0, ALL);');
const patched = unmap(...work, ...added) + notify('unmap') + release('unmap(mm, 0, ALL);');
const run = async (target: Texts, moved: string[] = []) => {
  const { files, hunks } = await port({ [OLD]: base }, { [OLD]: patched }, target, moved);
  return { files, hunk: hunks[0]! };
};
const lost = "'release' called 'unmap' in the base and does not come to";

describe('what a set adds to a function', () => {
  test('is said not to be done for a caller that calls it no more', async () => {
    const { hunk } = await run({ [OLD]: unmap(...work) + notify('unmap') + release('drop(mm);') });
    expect(hunk.message).toContain(`${lost} 'unmap' in the target`);
    expect(hunk.confidence).toBeLessThanOrEqual(0.75);
  });

  test('is done for one that comes to it by a helper', async () => {
    const helper = fn('static void drop(struct mm *mm)', 'unmap(mm, 0, ALL);');
    const { hunk } = await run({ [OLD]: unmap(...work) + helper + notify('unmap') + release('drop(mm);') });
    expect(hunk.message).toBeNull();
  });

  test('goes to the worker behind a wrapper, in the file where both are now', async () => {
    const worker = (...body: string[]) =>
      fn('static void __unmap(struct mm *mm, u64 from, u64 size, bool block)', ...body);
    const now = ['walk_again(mm, from, size, block);', 'flush_all(mm);'];
    const rest = unmap('__unmap(mm, from, size, true);') + notify('__unmap').replace('1)', '1, false)');
    const all = rest + release('unmap(mm, 0, ALL);');
    const { files, hunk } = await run({ [NEW]: worker(...now) + all }, [OLD]);
    expect(files[NEW]).toBe(worker(...now, ...added) + all);
    expect(hunk.message).toBeNull();
  });
});
