import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { onTestFailed } from 'vitest';

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const DESKTOP = { width: 1280, height: 900 };
const REPORTS = join(import.meta.dirname, '..', '..', 'dist', 'test-reports');

/** A login or an address that `up` writes into the env file of its data folder. */
export function fromEnvironment(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set. Source the env file that \`npm run up\` writes.`);
  return value;
}

/** Debian's Chromium. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: process.env.CHROMIUM_PATH || '/usr/bin/chromium', args: FLAGS });
}

/** A page of a visitor of their own; after a failure its picture is kept beside the reports. */
export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({
    baseURL: fromEnvironment('SERVERY_URL'),
    viewport: DESKTOP,
    // Without a graphics card each moving dot takes most of a processor, which the guests that it waits for need.
    reducedMotion: 'reduce',
    ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  return page;
}

/** Keeps a picture of what the page showed when the running test fails. */
export function keepPictureOnFailure(page: Page): void {
  onTestFailed(async ({ task }) => {
    mkdirSync(REPORTS, { recursive: true });
    const name = `browser-${task.name.replaceAll(/\W+/g, '-')}.png`;
    await page.screenshot({ path: join(REPORTS, name), fullPage: true });
  });
}
