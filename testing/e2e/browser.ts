import { readFile } from 'node:fs/promises';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { openStillNetwork } from './still-network.ts';

export interface OpenBrowser {
  readonly browser: Browser;
  readonly context: BrowserContext;
  readonly page: Page;
  /** Errors that the page wrote to its console or threw. */
  readonly complaints: string[];
  close(): Promise<void>;
}

/** Debian's Chromium, headless, which reaches the platform's port and nothing else. */
export async function openBrowser(baseURL: string): Promise<OpenBrowser> {
  const network = await openStillNetwork(Number(new URL(baseURL).port), '/usr/bin/chromium');
  const browser = await chromium.launch({
    executablePath: network.executable,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  const context = await browser.newContext({ baseURL, viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  // As patient as `expect.poll`: a busy machine draws late.
  page.setDefaultTimeout(60_000);
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    // A refused request shows here too; what was refused is the test's business, not the page's.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      complaints.push(message.text());
  });
  const close = async () => {
    await browser.close();
    await network.close();
  };
  return { browser, context, page, complaints, close };
}

/**
 * What axe finds wrong with the page once nothing on it moves, one line each: text that is fading in or out (a
 * message that comes or goes) has no contrast to judge. Evaluated by the browser's debugger, so the page's CSP stays on.
 */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(await readFile(new URL('../../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8'));
  return page.evaluate<string[]>(`(async () => {
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    const moving = () => document.getAnimations().filter((animation) =>
      animation.playState === 'running' && Number.isFinite(animation.effect?.getComputedTiming().endTime ?? 0));
    const atRest = async () => {
      for (let still = 0, frames = 0; still < 2 && frames < 600; frames += 1, still = moving().length === 0 ? still + 1 : 0)
        await frame();
    };
    const found = async () => {
      await atRest();
      const { violations } = await axe.run();
      return violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' | '));
    };
    let last = await found();
    // What comes or goes while axe looks is seen half-faded as well: only what a second look finds too counts.
    for (let look = 0; look < 3 && last.length > 0; look += 1) {
      await new Promise((resolve) => setTimeout(resolve, 700));
      const again = await found();
      if (again.join() === last.join()) break;
      last = again;
    }
    return last;
  })()`);
}
