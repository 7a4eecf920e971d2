import type { HunkReport } from '../../src/core/outcome';
import type { Hunk } from '../../src/core/patch';
import { splitLines } from '../../src/core/text';
import { openTree } from '../../src/io/tree';
import { indexKernel, WHOLE_TREE } from '../../src/kernel-index';
import { liftEdits } from '../../src/porter/lift';
import { editIds } from '../../src/porter/resolutions';
import { View } from '../../src/porter/view';
import { markedText, sheetOf } from '../../src/resolve/sheet';
import { makefile } from '../support/kernel';
import { Sandbox } from '../support/sandbox';

let box: Sandbox;
beforeEach(() => (box = new Sandbox()));
afterEach(() => box.remove());

const PATH = 'include/prot.h';
const macros = (...names: string[]) => names.map((n) => `#define ${n}\t(BASE | ${n}_BIT)\n`);
/** At home the set replaces `PAGE_OLD`, which stands between two others. */
const HOME = [...macros('PAGE_A', 'PAGE_B', 'PAGE_OLD', 'PAGE_C'), '\n', ...macros('PAGE_D')];

/** Where a sheet for the hunk has its marker in a target: the line below it, and all lines that it shows. */
async function sheet(target: readonly string[], candidate: boolean) {
  const dir = box.write('kernel', { Makefile: makefile('v5.8'), [PATH]: target.join('') });
  const view = new View(await indexKernel(await openTree(dir, null), { scope: WHOLE_TREE, cache: null }));
  const hunk: Hunk = {
    ...{ id: 'aaaaaaaaaaaa', path: PATH, oldStart: 3, oldCount: 1, newStart: 3, newCount: 3, section: '' },
    lines: ['+#ifdef CONFIG_MINE\n', `-${HOME[2]}`, '+#define PAGE_OLD\t(MINE)\n', '+#endif\n'],
  };
  const edits = editIds(liftEdits(HOME, [hunk], 'c'));
  const point = { path: PATH, definition: null, line: 1, parts: null };
  const report = {
    ...{ id: hunk.id, source: { path: PATH, definition: null, line: 3 } },
    edits: [...edits.values()].map((id) => ({
      ...{ id, kind: 'replace', outcome: 'conflict', strategy: 'none', confidence: 0, target: [] },
      candidates: candidate ? [point] : [],
    })),
  } as unknown as HunkReport;
  const lifted = { patch: '1.patch', path: PATH, lines: HOME, edits };
  const file = (await view.file(PATH))!;
  const made = sheetOf(report, lifted, file, target.join(''));
  const lines = splitLines(markedText(made, HOME, { target: 'v5.8', base: 'v4.18', set: 'mine' }, ''));
  const end = lines.findIndex((l) => l.startsWith('>>>>>>> '));
  return { next: lines[end + 1], shown: lines.length };
}

describe('the sheet of an edit whose place is not known', () => {
  const filler = Array.from({ length: 60 }, (_, i) => macros(`OTHER_${i}`)[0]!);

  test.each([true, false])(
    'the marker stands beside the nearest line that is left (a bare point known: %s)',
    async (point) => {
      const [a, , , c] = HOME;
      expect(await sheet([...filler, a!, c!, ...filler], point)).toMatchObject({ next: c });
      // The line above is gone, too: the next one counts.
      expect(await sheet([...filler, a!, ...filler], point)).toMatchObject({ next: filler[0] });
    },
  );

  test('it shows forty lines, not the file', async () => {
    expect((await sheet([...filler, ...macros('PAGE_B'), ...filler], true)).shown).toBeLessThan(60);
  });

  test('nothing is left of the lines around it, or each is there twice: the point that is known', async () => {
    expect(await sheet(filler, true)).toMatchObject({ next: filler[0] });
    const twice = macros('PAGE_A', 'PAGE_B', 'PAGE_C', 'PAGE_D');
    expect(await sheet([...filler, ...twice, ...filler, ...twice], true)).toMatchObject({ next: filler[0] });
  });
});
