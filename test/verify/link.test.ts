import { linkFaults, newOpen, readSymbols } from '../../src/verify/checks/link';

/** What nm would say of objects: `switch.o: T enter, U panic`. */
function objects(...rows: string[]) {
  const names = rows.map((r) => r.slice(0, r.indexOf(':')));
  const lines = rows.flatMap((r) =>
    (r.slice(r.indexOf(':') + 1).match(/\w \S+/g) ?? []).map((s) => {
      const [kind, name] = s.split(' ');
      return `${r.slice(0, r.indexOf(':'))}:${kind === 'U' || kind === 'w' ? ' '.repeat(16) : '0000000000000040'} ${kind} ${name}`;
    }),
  );
  return readSymbols(lines.join('\n'), names);
}

const OFF = [
  'hyp/switch.o: T enter T unexpected t local D state',
  'hyp/entry.o: T vectors U unexpected U enter U printk',
];

test('a symbol that went with the object that the set replaces is found, with who refers to it', () => {
  const on = objects('hyp/simple.o: T enter D state', OFF[1]!);
  expect(linkFaults(on, objects(...OFF))).toEqual([
    { kind: 'undefined-symbol', symbol: 'unexpected', objects: ['hyp/entry.o'], gone: 'hyp/switch.o' },
  ]);
});

test.each([
  ['the new object has it', ['hyp/simple.o: T enter T unexpected', OFF[1]!]],
  ['the new object has it weakly', ['hyp/simple.o: T enter W unexpected', OFF[1]!]],
  ['nobody refers to it any more', ['hyp/simple.o: T enter', 'hyp/entry.o: T vectors U enter']],
  ['the reference may stay open', ['hyp/simple.o: T enter', 'hyp/entry.o: T vectors w unexpected']],
  ['the object is still built', OFF],
])('nothing is found when %s', (_, on) => expect(linkFaults(objects(...on), objects(...OFF))).toEqual([]));

test('a symbol that two objects define is found, unless the target builds it twice as well', () => {
  const twice = ['hyp/switch.o: T enter', 'hyp/simple.o: T enter'];
  expect(linkFaults(objects(...twice), objects('hyp/switch.o: T enter'))).toEqual([
    { kind: 'symbol-twice', symbol: 'enter', objects: ['hyp/switch.o', 'hyp/simple.o'], gone: null },
  ]);
  expect(linkFaults(objects(...twice), objects(...twice))).toEqual([]);
  expect(linkFaults(objects('a.o: T enter', 'b.o: W enter'), objects('a.o: T enter'))).toEqual([]);
});

test('what is asked for anew is what no object, on or off, knows', () => {
  const on = objects('a.o: T own U printk U gone_helper', 'b.o: T more U own');
  const off = objects('a.o: T own U printk');
  expect([...newOpen(on, off)]).toEqual([['gone_helper', ['a.o']]]);
});

test('symbols of one object alone are neither given nor asked for', () => {
  const [only] = objects('a.o: t local r text N debug w maybe');
  expect([only!.strong.size, only!.weak.size, only!.open.size]).toEqual([0, 0, 0]);
});
