import { readDiff } from '../../src/patch-set/diff-reader';
import { hunkText, type FileChange } from '../../src/core/patch';

/** What a change is, on one line. */
function brief(c: FileChange): string {
  const mode = c.oldMode === c.newMode ? '' : ` ${c.oldMode}>${c.newMode}`;
  const counts = c.hunks.map((h) => `${h.oldStart},${h.oldCount}/${h.newStart},${h.newCount}`).join(' ');
  return `${c.status} ${c.oldPath}>${c.newPath}${mode}${c.binary === null ? '' : ' binary'}${counts && ` ${counts}`}`;
}
const read = (text: string) => readDiff(text, 'p').map(brief);
const HUNK = '@@ -1,2 +1,2 @@\n a\n-b\n+c\n';
const files = (old: string, fresh: string) => `--- ${old}\n+++ ${fresh}\n`;

describe('names', () => {
  test.each([
    ['plain', 'diff --git a/x.c b/x.c\nindex 1..2 100644\n' + files('a/x.c', 'b/x.c') + HUNK, 'x.c'],
    ['with blanks', 'diff --git a/x y.c b/x y.c\n' + files('a/x y.c\t', 'b/x y.c\t') + HUNK, 'x y.c'],
    [
      'quoted',
      'diff --git "a/qu\\"o\\\\.c" "b/qu\\"o\\\\.c"\n' + files('"a/qu\\"o\\\\.c"', '"b/qu\\"o\\\\.c"') + HUNK,
      'qu"o\\.c',
    ],
    [
      'octal',
      'diff --git "a/\\303\\274.c" "b/\\303\\274.c"\n' + files('"a/\\303\\274.c"', '"b/\\303\\274.c"') + HUNK,
      '\xc3\xbc.c',
    ],
    [
      'tab and newline',
      'diff --git "a/\\tx\\n.c" "b/\\tx\\n.c"\n' + files('"a/\\tx\\n.c"', '"b/\\tx\\n.c"') + HUNK,
      '\tx\n.c',
    ],
    ['raw bytes', 'diff --git a/\xe4.c b/\xe4.c\n' + files('a/\xe4.c', 'b/\xe4.c') + HUNK, '\xe4.c'],
    ['in folders a and b', 'diff --git a/a/x b/a/x\n' + files('a/a/x', 'b/a/x') + HUNK, 'a/x'],
    ['mnemonic prefixes', 'diff --git i/x.c w/x.c\n' + files('i/x.c', 'w/x.c') + HUNK, 'x.c'],
    ['no prefix', 'diff --git arch/x.c arch/x.c\n' + files('arch/x.c', 'arch/x.c') + HUNK, 'arch/x.c'],
    ['no prefix, no folder', 'diff --git x.c x.c\n' + files('x.c', 'x.c') + HUNK, 'x.c'],
    [
      'GNU diff of two folders',
      'diff -ur linux.orig/x.c linux/x.c\n' +
        files('linux.orig/x.c\t2018-08-12 22:41:04.000000000 +0200', 'linux/x.c\t2018-08-13 10:00:00.000000000 +0200') +
        HUNK,
      'x.c',
    ],
    ['quilt', 'Index: linux/x.c\n' + '='.repeat(67) + '\n' + files('linux.orig/x.c', 'linux/x.c') + HUNK, 'x.c'],
    ['quilt -p ab', 'Index: b/x.c\n' + '='.repeat(67) + '\n' + files('a/x.c', 'b/x.c') + HUNK, 'x.c'],
    [
      'svn',
      'Index: arch/arm64/x.c\n' +
        '='.repeat(67) +
        '\n' +
        files('arch/arm64/x.c\t(revision 12)', 'arch/arm64/x.c\t(working copy)') +
        HUNK,
      'arch/arm64/x.c',
    ],
    ['headers alone', files('a/x.c', 'b/x.c') + HUNK, 'x.c'],
  ])('%s', (_, text, name) => {
    expect(readDiff(text, 'p').map((c) => [c.status, c.oldPath, c.newPath, c.hunks.length])).toEqual([
      ['modified', name, name, 1],
    ]);
  });
});

describe('kinds of change', () => {
  test.each([
    [
      'new',
      'diff --git a/x b/x\nnew file mode 100755\nindex 0000000..1\n' +
        files('/dev/null', 'b/x') +
        '@@ -0,0 +1 @@\n+a\n',
      ['added null>x null>100755 0,0/1,1'],
    ],
    [
      'new and empty',
      'diff --git a/x y b/x y\nnew file mode 100644\nindex 0000000..e69de29\n',
      ['added null>x y null>100644'],
    ],
    [
      'deleted',
      'diff --git a/x b/x\ndeleted file mode 100644\nindex 1..0000000\n' +
        files('a/x', '/dev/null') +
        '@@ -1 +0,0 @@\n-a\n',
      ['deleted x>null 100644>null 1,1/0,0'],
    ],
    [
      'deleted and empty',
      'diff --git a/x b/x\ndeleted file mode 100644\nindex e69de29..0000000\n',
      ['deleted x>null 100644>null'],
    ],
    ['mode alone', 'diff --git a/x b/x\nold mode 100644\nnew mode 100755\n', ['modified x>x 100644>100755']],
    [
      'mode and text',
      'diff --git a/x b/x\nold mode 100644\nnew mode 100755\nindex 1..2\n' + files('a/x', 'b/x') + HUNK,
      ['modified x>x 100644>100755 1,2/1,2'],
    ],
    ['rename', 'diff --git a/x y b/z\nsimilarity index 100%\nrename from x y\nrename to z\n', ['renamed x y>z']],
    [
      'rename, quoted',
      'diff --git "a/\\303\\274" "b/\\303\\266"\nsimilarity index 100%\nrename from "\\303\\274"\nrename to "\\303\\266"\n',
      ['renamed \xc3\xbc>\xc3\xb6'],
    ],
    [
      'rename and edit',
      'diff --git a/x b/z\nsimilarity index 90%\nrename from x\nrename to z\nindex 1..2 100644\n' +
        files('a/x', 'b/z') +
        HUNK,
      ['renamed x>z 1,2/1,2'],
    ],
    [
      'rename without prefix',
      'diff --git a/x a/z\nsimilarity index 90%\nrename from a/x\nrename to a/z\nindex 1..2 100644\n' +
        files('a/x', 'a/z') +
        HUNK,
      ['renamed a/x>a/z 1,2/1,2'],
    ],
    [
      'copy',
      'diff --git a/x b/z\nsimilarity index 90%\ncopy from x\ncopy to z\nindex 1..2 100644\n' +
        files('a/x', 'b/z') +
        HUNK,
      ['copied x>z 1,2/1,2'],
    ],
    [
      'type',
      'diff --git a/x b/x\ndeleted file mode 100644\nindex 1..0\n' +
        files('a/x', '/dev/null') +
        '@@ -1 +0,0 @@\n-a\ndiff --git a/x b/x\nnew file mode 120000\nindex 0..1\n' +
        files('/dev/null', 'b/x') +
        '@@ -0,0 +1 @@\n+to\n\\ No newline at end of file\n',
      ['deleted x>null 100644>null 1,1/0,0', 'added null>x null>120000 0,0/1,1'],
    ],
    ['GNU new file', files('/dev/null', 'b/x') + '@@ -0,0 +1 @@\n+a\n', ['added null>x 0,0/1,1']],
    [
      'GNU diff -N',
      files('linux.orig/x\t1970-01-01 00:00:00.000000000 +0000', 'linux/x') + '@@ -0,0 +1 @@\n+a\n',
      ['added null>x 0,0/1,1'],
    ],
    [
      'GNU diff -N, deleted',
      files('linux.orig/x', 'linux/x\t1970-01-01 00:00:00.000000000 +0000') + '@@ -1 +0,0 @@\n-a\n',
      ['deleted x>null 1,1/0,0'],
    ],
    [
      'binary',
      'diff --git a/x b/x\nindex 1..2 100644\nGIT binary patch\nliteral 3\nKcmZ4\n\nliteral 2\nJcmZ4\n\ndiff --git a/y b/y\n' +
        files('a/y', 'b/y') +
        HUNK,
      ['modified x>x binary', 'modified y>y 1,2/1,2'],
    ],
    [
      'binary, no content',
      'diff --git a/x b/x\nindex 1..2 100644\nBinary files a/x and b/x differ\n',
      ['modified x>x binary'],
    ],
  ])('%s', (_, text, expected) => {
    expect(read(text)).toEqual(expected);
  });

  test('a binary patch is kept as it is, the mail’s signature not', () => {
    const payload = 'GIT binary patch\nliteral 3\nKcmZ4\n\nliteral 0\nHcmV?d00001\n\n';
    const [change] = readDiff(`diff --git a/x b/x\nindex 1..2 100644\n${payload}-- \n2.39.5\n\n`, 'p');
    expect(change!.binary).toBe(payload);
  });
});

describe('hunks', () => {
  const one = (body: string) => readDiff(files('a/x', 'b/x') + body, 'p')[0]!.hunks[0]!;

  test('no newline at the end: on the old side, the new side, both', () => {
    const mark = '\\ No newline at end of file\n';
    expect(one(`@@ -1 +1 @@\n-a\n${mark}+b\n`).lines).toEqual(['-a', '+b\n']);
    expect(one(`@@ -1 +1 @@\n-a\n+b\n${mark}`).lines).toEqual(['-a\n', '+b']);
    expect(one(`@@ -1 +1 @@\n-a\n${mark}+b\n${mark}`).lines).toEqual(['-a', '+b']);
    expect(one(`@@ -1,2 +1,2 @@\n-a\n+b\n c\n${mark}`).lines).toEqual(['-a\n', '+b\n', ' c']);
    expect(one(`@@ -1 +1 @@\n-a\n\\ Kein Zeilenumbruch am Dateiende.\n+b\n`).lines).toEqual(['-a', '+b\n']);
  });

  test('CRLF inside, LF outside: the file has CRLF', () => {
    expect(one('@@ -1,2 +1,2 @@\n a\r\n-b\r\n+c\r\n').lines).toEqual([' a\r\n', '-b\r\n', '+c\r\n']);
  });

  test('lines that look like headers', () => {
    const body = '@@ -1,4 +1,4 @@\n--- x\n+++ y\n @@ -1 +1 @@\n diff --git a/x b/x\n-- \n+-- \n';
    const [change, ...rest] = readDiff(files('a/x', 'b/x') + body, 'p');
    expect(rest).toEqual([]);
    expect(change!.hunks).toHaveLength(1);
    expect(change!.hunks[0]!.lines).toHaveLength(6);
  });

  test('empty context lines that lost their blank', () => {
    expect(one('@@ -1,3 +1,3 @@\n a\n\n-b\n+c\n').lines).toEqual([' a\n', ' \n', '-b\n', '+c\n']);
  });

  test('any bytes, form feeds and lone CRs stay', () => {
    const bytes = Array.from({ length: 256 }, (_, i) => String.fromCharCode(i))
      .join('')
      .replace('\n', '');
    expect(one(`@@ -0,0 +1,2 @@\n+${bytes}\n+\f\r \n`).lines).toEqual([`+${bytes}\n`, '+\f\r \n']);
  });

  test('text of a hunk is what was read', () => {
    const text = '@@ -1,2 +1,3 @@ int f(void)\n a\n-b\n+c\n+d\n\\ No newline at end of file\n';
    expect(hunkText(one(text))).toBe(text);
  });

  test('ids do not depend on position, and tell twins apart', () => {
    const at = (line: number) => `@@ -${line},2 +${line},2 @@\n a\n-b\n+c\n`;
    const ids = (text: string) => readDiff(files('a/x', 'b/x') + text, 'p')[0]!.hunks.map((h) => h.id);
    expect(ids(at(5))).toEqual(ids(at(50)));
    const [first, second] = ids(at(5) + at(50));
    expect(first).toBe(ids(at(1))[0]);
    expect(second).not.toBe(first);
  });
});

describe('refused, with the place', () => {
  test.each([
    [
      'cut short',
      '@@ -1,3 +1,3 @@\n a\n-b\n',
      /truncated or damaged: the patch ends at line 6 inside the hunk that begins at line 3/,
    ],
    [
      'the next file inside',
      '@@ -1,5 +1,5 @@\n a\n-b\n+c\ndiff --git a/y b/y\n',
      /'diff --git a\/y b\/y' stands at line 7 inside the hunk that begins at line 3/,
    ],
    ['a wrapped line', '@@ -1,3 +1,3 @@\n a\n-b\n+a long\nline\n d\n', /damaged/],
    ['count too small', '@@ -1,2 +1,2 @@\n a\n-b\n+c\n d\n e\n', /line 7.*more lines than its header says/],
    ['count too small, added', '@@ -1,2 +1,2 @@\n a\n-b\n+c\n+d\n', /line 7.*more lines than its header says/],
    ['count too small, removed', '@@ -1,2 +1,2 @@\n a\n-b\n+c\n-d\n', /line 7.*more lines than its header says/],
    ['counts that do not add up', '@@ -1,1 +1,2 @@\n-a\n-b\n+c\n+d\n', /other line counts than its header says/],
    ['garbled header', '@@ -1,2 +1,2 @@\n a\n-b\n+c\n@@ -x,2 +1,2 @@\n', /line 7: garbled hunk header/],
  ])('%s', (_, body, error) => {
    expect(() => readDiff(files('a/x', 'b/x') + body, 'p')).toThrow(error);
  });

  test('combined diffs', () => {
    for (const kind of ['cc', 'combined']) {
      const text = `diff --${kind} x.c\nindex 1,2..3\n--- a/x.c\n+++ b/x.c\n@@@ -1,1 -1,1 +1,1 @@@\n- a\n -b\n++c\n`;
      expect(() => readDiff(text, 'p')).toThrow(/'p' line 1 is a combined diff/);
    }
  });

  test('signatures and words behind a hunk are no damage', () => {
    for (const tail of [
      '-- \n2.39.5\n',
      '--\n2.39.5\n',
      '\nSome words.\n',
      '-- \r\nx\r\n',
      '_______________\nlist mailing list\n',
    ]) {
      expect(read(files('a/x', 'b/x') + HUNK + tail)).toEqual(['modified x>x 1,2/1,2']);
    }
  });
});
