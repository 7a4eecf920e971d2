import { existsSync } from 'node:fs';
import { run, which } from './process';

/** Names under which a browser that can print without a window is installed. */
const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome', 'microsoft-edge'];

/** A Chromium-like browser: `KPORT_BROWSER`, else the first on PATH; null when there is none. */
export async function findBrowser(): Promise<string | null> {
  const named = process.env.KPORT_BROWSER;
  if (named !== undefined) return named !== '' && existsSync(named) ? named : null;
  for (const name of NAMES) {
    const found = await which(name);
    if (found) return found;
  }
  return null;
}

/** Prints a page to a PDF file. Gives what went wrong, or null. */
export async function printPage(browser: string, page: string, pdf: string, profile: string): Promise<string | null> {
  const root = process.getuid?.() === 0;
  const done = await run(
    browser,
    [
      '--headless',
      '--disable-gpu',
      '--disable-extensions',
      '--no-first-run',
      `--user-data-dir=${profile}`,
      // Chromium refuses to run as root with its sandbox. The page is ours, and runs no script.
      ...(root ? ['--no-sandbox'] : []),
      '--no-pdf-header-footer',
      `--print-to-pdf=${pdf}`,
      `file://${page}`,
    ],
    { timeoutMs: 120_000 },
  );
  if (done.timedOut) return 'it did not end within two minutes';
  if (done.code !== 0 || !existsSync(pdf)) return `exit code ${done.code}: ${done.stderr.trim().split('\n').pop()}`;
  return null;
}
