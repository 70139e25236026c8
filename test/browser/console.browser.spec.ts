import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ConsoleWorld } from '../api/console-world.ts';
import { newTenant, stockMarketplace, type Tenant } from '../api/marketplace.ts';
import { testApi } from '../api/test-api.ts';
import { freePort } from '../support/ports.ts';
import { graveViolations, overflow } from './accessibility.fixture.ts';
import { launchChromium } from './chromium.fixture.ts';

/** The built page in a real browser, on an API and a gateway of this test's own, with a simulated machine behind them. */
const storefront = fileURLToPath(new URL('../../dist/apps/storefront', import.meta.url));
const [port, workerPort] = [await freePort(), await freePort()];
const url = `http://127.0.0.1:${port}`;
const api = testApi(undefined, {
  SERVERY_URL: url,
  SERVERY_WORKER_URL: `http://127.0.0.1:${workerPort}`,
  SERVERY_STOREFRONT_DIR: storefront,
});
const SOON = { timeout: 30_000 };

let browser: Browser;
let page: Page;
let world: ConsoleWorld;
let owner: Tenant;
let serverId: number;
const complaints: string[] = [];

beforeAll(async () => {
  if (!existsSync(storefront)) throw new Error('the storefront is not built: npm run build');
  await stockMarketplace(api.current);
  owner = await newTenant(api.current, 'owner@example.com');
  world = new ConsoleWorld(api.current, workerPort);
  await world.startWorker();
  ({ serverId } = await world.runningServer(owner, 'shop'));
  await api.current.api.app.listen(port, '127.0.0.1');
  browser = await launchChromium();
  page = await browser.newPage();
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  await signIn(page.context());
});
afterAll(async () => {
  await browser?.close();
  await world?.close();
});

/** A cookie of this name has to come over https, for which the browser takes loopback. */
async function signIn(context: BrowserContext): Promise<void> {
  const [name = '', value = ''] = owner.cookie.split('=', 2);
  await context.addCookies([
    { name, value, url: url.replace('http:', 'https:'), httpOnly: true, sameSite: 'Lax' },
  ]);
}

it('shows the serial port, gives it what is typed, and the keyboard back', async () => {
  await page.goto(`${url}/servers/${serverId}`);
  await page.getByRole('link', { name: 'Open its console' }).click();
  await page.getByRole('link', { name: 'Serial port' }).click();
  await expect.poll(() => page.getByRole('status').textContent(), SOON).toBe('Connected.');
  const rows = page.locator('.xterm-rows');
  await expect.poll(() => rows.textContent(), SOON).toContain('login:');
  await page.keyboard.type('hello there');
  await expect.poll(() => rows.textContent(), SOON).toContain('hello there');
  await page.keyboard.press('Control+Shift+F6');
  expect(await page.evaluate<string>('document.activeElement?.textContent')).toBe('Type into it');
  await page.keyboard.press('Enter');
  await page.keyboard.type(' again');
  await expect.poll(() => rows.textContent(), SOON).toContain('hello there again');
});

it('shows the screen, behind its password, which is asked of nobody', async () => {
  await page.getByRole('link', { name: 'Screen' }).click();
  await expect.poll(() => page.getByRole('status').textContent(), SOON).toBe('Connected.');
  await expect.poll(() => page.locator('canvas').first().getAttribute('width'), SOON).toBe('8');
});

it('says why it was cut, and opens it again', async () => {
  await world.stopWorker();
  await expect.poll(() => page.getByRole('status').textContent(), SOON).toContain('open it again');
  await world.startWorker();
  await page.getByRole('button', { name: 'Open it again' }).click();
  await expect.poll(() => page.getByRole('status').textContent(), SOON).toBe('Connected.');
  await api.current.request('DELETE', `/v1/servers/${serverId}`, { token: owner.token });
  await expect.poll(() => page.getByRole('status').textContent(), SOON).toContain('The server was deleted');
});

it('needs nothing that the policy of the page forbids', () => {
  expect(complaints.filter((text) => /Content Security Policy|Refused to/.test(text))).toEqual([]);
});

it('is read by everybody, also on a phone', async () => {
  const context = await browser.newContext({ bypassCSP: true, viewport: { width: 360, height: 740 } });
  await signIn(context);
  const phone = await context.newPage();
  ({ serverId } = await world.runningServer(owner, 'mail'));
  for (const type of ['vnc', 'serial']) {
    await phone.goto(`${url}/servers/${serverId}/console?type=${type}`);
    await expect.poll(() => phone.getByRole('status').textContent(), SOON).toBe('Connected.');
    expect(await graveViolations(phone)).toEqual([]);
    expect(await overflow(phone)).toBe(0);
  }
});
