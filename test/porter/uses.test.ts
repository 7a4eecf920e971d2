import { lines, port } from './harness';

const C = 'virt/kvm/arm/mmu.c';
const fn = (head: string, ...body: string[]) => lines(head, '{', ...body.map((l) => `\t${l}`), '}', '');
const one = fn('void set_one(struct table *t)', 'clear_entry(t, 1);', 'write_entry(t, 1);');
const two = fn('static void set_two(struct table *t)', 'lock_table(t);', 'fill_pages(t, 2);');
const three = fn('static void set_three(struct table *t)', 'flush_all(t);', 'count_pages(t, 3);');
const run = (own: (l: string) => string) =>
  fn('void run(struct table *t)', 'start(t);') +
  own(fn('void run_all(struct table *t)', 'set_one(t);', 'set_two(t);', 'set_three(t);'));
const guard = (text: string) => `#ifndef CONFIG_SET\n${text}#endif\n`;
const last = fn('void stop(struct table *t)', 'halt(t);', 'free_pages(t);', 't->stopped = 1;');
const base = one + two + three + run((l) => l) + last;
const patched = guard(one + two + three) + run(guard) + last;

describe('a guard that leaves out what upstream uses elsewhere', () => {
  test('does not say of it that it is under the guard', async () => {
    const later = fn('void later(struct table *t)', 'set_one(t);', 'set_two(t);');
    const { files, hunks } = await port({ [C]: base }, { [C]: patched }, { [C]: base + later });
    expect(files[C]).toContain(`#endif\n\n${two}#ifndef CONFIG_SET\n${three}#endif\n`);
    const said = hunks.map((h) => h.message ?? '').join();
    expect(said).toContain("'set_one' is under the guard now, but 'later' uses it outside");
    expect(said).not.toContain("'set_two' is under the guard");
  });

  test('says what it uses itself of what the guard holds', async () => {
    const uses = two.replace('lock_table(t);', 'lock_table(t);\n\tset_one(t);');
    const later = fn('void later(struct table *t)', 'set_two(t);');
    const { hunks } = await port(
      { [C]: base },
      { [C]: patched },
      { [C]: one + uses + three + run((l) => l) + last + later },
    );
    expect(hunks.map((h) => h.message).join()).toContain(
      "'set_one' is under the guard now, but 'set_two' uses it outside",
    );
  });

  test('names all of them where it holds them all', async () => {
    const later = fn('void later(struct table *t)', 'set_one(t);');
    const { files, hunks } = await port({ [C]: base }, { [C]: patched }, { [C]: base + later });
    expect(files[C]).toBe(patched + later);
    expect(hunks.map((h) => h.message).join()).toContain(
      "'set_one' is under the guard now, but 'later' uses it outside",
    );
  });
});
