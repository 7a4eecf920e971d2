import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { GitRepo } from '../../src/io/git';
import { Scratch } from '../../src/io/scratch';
import { loadSet } from '../../src/patch-set/patch-set';
import { parsePort, revisionSide } from '../../src/report/diff-ports/sides';
import { portPage } from '../../src/report/port/html';
import { viewOf } from '../../src/report/port/view';
import { tinyKernels, type TinyKernels } from './kernels';

const FOCUSED = "document.activeElement.closest('.hunk').id";
/** What axe calls serious or worse; the rest is a matter of taste. */
const SERIOUS = ['serious', 'critical'];

/** Known before any test is declared, so that jest counts what was skipped. */
const executablePath = process.env.KPORT_BROWSER || lookFor('chromium', 'chromium-browser', 'google-chrome');

function lookFor(...names: string[]): string | null {
  for (const name of names) {
    const found = spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' });
    if (found.status === 0) return found.stdout.trim();
  }
  if (process.env.KPORT_NEED_BROWSER) throw new Error('KPORT_NEED_BROWSER is set, but there is no browser');
  process.stderr.write('\n*** SKIPPED: no Chromium here, so nobody looked whether the page works in a browser ***\n');
  return null;
}

let kernels: TinyKernels;
let browser: Browser | null = null;
let file: string;

beforeAll(async () => {
  if (executablePath === null) return;
  kernels = await tinyKernels();
  const report = await kernels.port('v4.20', 'kport/tiny');
  const repo = (await GitRepo.open(kernels.repo))!;
  const side = await revisionSide(repo, parsePort('kport/tiny'), 'v4.20');
  const set = await loadSet(kernels.patches, 'tiny');
  const view = await Scratch.use([repo], (s) => viewOf(report, set, side, s));
  repo.close();
  file = path.join(kernels.dir, 'port.html');
  writeFileSync(file, portPage(view, { check: null }));
  browser = await chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] });
}, 120_000);

afterAll(async () => {
  await browser?.close();
  kernels?.remove();
});

/** Runs `look` on a page that may neither complain nor ask the network. */
async function onPage(
  options: { width?: number; colorScheme?: 'light' | 'dark' },
  look: (page: Page) => Promise<void>,
): Promise<void> {
  if (!browser) return;
  const context = await browser.newContext({
    viewport: { width: options.width ?? 1280, height: 900 },
    colorScheme: options.colorScheme ?? 'light',
  });
  const [complaints, requests]: [string[], string[]] = [[], []];
  const page = await context.newPage();
  page.on('console', (m) => ['error', 'warning'].includes(m.type()) && complaints.push(m.text()));
  page.on('pageerror', (e) => complaints.push(String(e)));
  page.on('request', (r) => /^(file|data):/.test(r.url()) || requests.push(r.url()));
  await page.goto(`file://${file}`);
  await look(page);
  expect({ complaints, requests }).toEqual({ complaints: [], requests: [] });
  await context.close();
}

const shown = (page: Page) => page.locator('.hunk:visible').count();

(executablePath === null ? describe.skip : describe)('the page in a browser', () => {
  it('filters by role, outcome, confidence and text', () =>
    onPage({}, async (page) => {
      const total = await shown(page);
      expect(total).toBe(4);
      await page.selectOption('[name=role]', 'build');
      expect(await shown(page)).toBe(1);
      await page.click('button[type=reset]');
      await page.selectOption('[name=outcome]', 'left');
      const left = await shown(page);
      expect(left).toBeGreaterThan(0);
      expect(left).toBeLessThan(total);
      await page.click('button[type=reset]');
      await page.fill('[name=text]', 'core_map');
      expect(await shown(page)).toBe(1);
      expect(await page.textContent('#count')).toBe('1 of 4 hunks');
      await page.click('button[type=reset]');
      await page.locator('[name=confidence]').fill('0');
      expect(await shown(page)).toBe(left);
    }));

  it('is worked by keys alone, and keeps its ticks over a reload', () =>
    onPage({}, async (page) => {
      await page.keyboard.press('j');
      await page.keyboard.press('j');
      expect(await page.evaluate(FOCUSED)).toBe(await page.locator('.hunk').nth(1).getAttribute('id'));
      await page.keyboard.press('o');
      expect(await page.locator('.hunk').nth(1).locator('details').getAttribute('open')).not.toBeNull();
      await page.keyboard.press('r');
      await page.keyboard.press('k');
      await page.keyboard.press('n');
      expect(await page.evaluate(FOCUSED)).toBe(await page.locator('.hunk').nth(2).getAttribute('id'));
      await page.keyboard.press('?');
      expect(await page.locator('#help').isVisible()).toBe(true);
      await page.keyboard.press('Escape');
      expect(await page.locator('#help').isVisible()).toBe(false);
      await page.reload();
      expect(await page.locator('.reviewed:checked').count()).toBe(1);
      expect(await page.textContent('#progress')).toBe('1 of 4 reviewed.');
      await page.check('[name=unreviewed]');
      expect(await shown(page)).toBe(3);
    }));

  it.each([
    ['light', 1280],
    ['dark', 1280],
    ['light', 390],
    ['dark', 390],
  ] as const)('gives axe nothing serious to find: %s, %i px', (colorScheme, width) =>
    onPage({ colorScheme, width }, async (page) => {
      await page.click('#toggle-all');
      expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
      await page.evaluate(readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8'));
      const found = (await page.evaluate('axe.run(document, { resultTypes: ["violations"] })')) as {
        violations: { id: string; impact: string; nodes: { html: string }[] }[];
      };
      const serious = found.violations.filter((v) => SERIOUS.includes(v.impact));
      expect(serious.map((v) => `${v.id}: ${v.nodes[0]!.html}`)).toEqual([]);
    }),
  );
});
