import { isNextRelease, parseVersion } from '../../src/core/version';
import { releaseTags } from '../../src/history/releases';

const v = (text: string) => parseVersion(text)!;

describe('the releases on the way', () => {
  it('are those between the two kernels, in the order of kernels', () => {
    const tags = ['v4.17', 'v4.18', 'v5.10', 'v5.2', 'v4.19', 'v5.4', 'v5.11', 'sekvm-4.18', 's/v5.2', 'v5.3-rc1'];
    expect(releaseTags(tags, v('v4.18'), v('v5.10'))).toEqual(['v4.19', 'v5.2', 'v5.4']);
  });

  it('are point releases only where there is no other, and then the earliest', () => {
    const tags = ['v5.4', 'v5.4.1', 'v5.6.19', 'v5.6.4', 'v5.8.1', 'v4.18.3'];
    expect(releaseTags(tags, v('v4.18'), v('v5.8.3'))).toEqual(['v5.4', 'v5.6.4']);
  });

  it('hold the release of a late target, and nothing when both ends are neighbours', () => {
    expect(releaseTags(['v5.10', 'v5.10.5'], v('v5.9'), v('v5.10.18'))).toEqual(['v5.10']);
    expect(releaseTags(['v5.9', 'v5.10'], v('v5.9'), v('v5.10'))).toEqual([]);
  });

  it.each([
    ['v5.9', 'v5.10', true],
    ['v4.20', 'v5.0', true],
    ['v4.19', 'v5.0', false],
    ['v5.4', 'v5.6', false],
    ['v5.19', 'v6.0', true],
    ['v5.10', 'v5.10.4', true],
  ])('%s and then %s: %s', (a, b, next) => expect(isNextRelease(v(a), v(b))).toBe(next));
});
