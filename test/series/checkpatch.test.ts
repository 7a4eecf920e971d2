import { GitRepo } from '../../src/io/git';
import { checkCheckpatch, type Mail } from '../../src/series/checks';
import { BASE, smallKernel, type TestRepo } from './small-kernel';

/** A script of ours that complains as the kernel's does: of blanks at the end of a line, and of a mail nobody signed. */
const SCRIPT = `use strict;
foreach my $file (grep { !/^--/ } @ARGV) {
	open(my $in, '<', $file) or die;
	my @lines = <$in>;
	(my $name = $file) =~ s{.*/}{};
	for my $i (0..$#lines) {
		print "$name:", $i + 1, ": ERROR:TRAILING_WHITESPACE: trailing whitespace\\n" if $lines[$i] =~ /^\\+.*[ \\t]$/;
	}
	for my $i (0..$#lines) {
		print "$name:", $i + 1, ": ERROR:CODE_INDENT: code indent should use tabs\\n" if $lines[$i] =~ /^\\+ {8}/;
	}
	print "$name:", scalar(@lines), ": ERROR:MISSING_SIGN_OFF: Missing Signed-off-by: line(s)\\n"
		unless !(grep { /^@@ / } @lines) or grep { /^Signed-off-by:/ } @lines;
}
`;

let repo: TestRepo;
afterEach(() => repo.remove());

async function ask(added: string[], set: string[]) {
  repo = smallKernel({ ...BASE, 'scripts/checkpatch.pl': SCRIPT });
  const mail = (name: string, lines: string[]): Mail => ({
    name,
    text: `Subject: [PATCH] x\n\nx\n---\n--- a/a.c\n+++ b/a.c\n@@ -0,0 +1,${lines.length} @@\n${lines.map((l) => `+${l}\n`).join('')}`,
  });
  const git = (await GitRepo.open(repo.dir))!;
  try {
    return await checkCheckpatch(git, 'v5.4', [mail('0001.patch', added)], [mail('set.patch', set)]);
  } finally {
    git.close();
  }
}

test('an adapted line has the style of the line of the set that it was', async () => {
  const done = await ask(['void __mark clear_all(u32 vm, u32 index) '], ['void __hyp clear_all(u32 vm, u32 index) ']);
  expect([done.result, done.findings]).toEqual(['pass', []]);
  expect(done.reason).toContain('1 of them in lines that were adapted');
});

test('an error that the line of the set does not have is new, and so is one of a line that is like none', async () => {
  const clean = await ask(['void __mark clear_all(u32 vm, u32 index) '], ['void __hyp clear_all(u32 vm, u32 index)']);
  expect(clean.findings).toEqual(['0001.patch:8: TRAILING_WHITESPACE: trailing whitespace']);
  repo.remove();
  const other = await ask(['int more = 1; '], ['void __hyp clear_all(u32 vm, u32 index) ']);
  expect([other.result, other.findings]).toEqual(['fail', ['0001.patch:8: TRAILING_WHITESPACE: trailing whitespace']]);
});

test('a mail that nobody signed is no new error when the set was not signed either, whatever its last line is', async () => {
  const done = await ask(['int more = 1;'], ['int more = 1;']);
  expect(done.reason).toContain('0 errors that the set did not have; 1 that it had (1 MISSING_SIGN_OFF)');
});

test('of two lines of the set that are alike, the one with the same indent is asked about', async () => {
  const set = ['\tn = old_pages(arg, 1);', '        n = old_pages(arg, 1);'];
  const done = await ask(['        n = new_pages(arg, 1);'], set);
  expect([done.result, done.findings]).toEqual(['pass', []]);
  repo.remove();
  expect((await ask(['        n = new_pages(arg, 1);'], set.slice(0, 1))).findings).toHaveLength(1);
});
