import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { graveViolations } from './accessibility.fixture.ts';
import { keepPictureOnFailure, launchChromium, openPage } from './chromium.fixture.ts';
import { runBySsh } from './ssh.fixture.ts';
import {
  act,
  addCard,
  CARDS,
  chooseProduct,
  deleteServer,
  nameAndContinue,
  newLogin,
  order,
  readAccess,
  signUp,
  textOf,
  waitUntilServed,
} from './visitor.fixture.ts';

/** One visitor, one server: each test goes on where the one before it ended. */
describe('a visitor orders a web server with a password', () => {
  let browser: Browser;
  let page: Page;
  let name: string;
  let access: Awaited<ReturnType<typeof readAccess>>;

  beforeAll(async () => {
    browser = await launchChromium();
    // axe brings its script into the page, which our content security policy would refuse.
    page = await openPage(browser, { bypassCSP: true });
  });
  afterAll(() => browser.close());

  it('configures it, signs up on the way, and comes back from Checkout with a card', async () => {
    keepPictureOnFailure(page);
    await chooseProduct(page, /web/i);
    await page.getByRole('radio', { name: /A password/ }).click();
    name = await nameAndContinue(page);
    await signUp(page, newLogin());
    await addCard(page, CARDS.works);
    expect(await page.getByTestId('docket-name').textContent()).toBe(name);
    expect(await page.getByText('Held on your card').isVisible()).toBe(true);
    expect(await graveViolations(page)).toEqual([]);
  });

  it('watches the real steps until the server is verified', async () => {
    keepPictureOnFailure(page);
    await order(page);
    await page.getByRole('progressbar').waitFor();
    expect(await graveViolations(page)).toEqual([]);
    await waitUntilServed(page, name);
    expect(await graveViolations(page)).toEqual([]);
  });

  it('sees the password once and logs in with what the page shows', async () => {
    keepPictureOnFailure(page);
    await page.getByRole('button', { name: 'Show the password once' }).click();
    const password = await textOf(page, 'copy-password');
    access = await readAccess(page);
    expect(await runBySsh({ ...access, secret: { password } }, 'hostname')).toBe(name);
    await page.reload();
    await page.getByText('The password has been shown').waitFor();
    expect(await page.getByText(password).count()).toBe(0);
  });

  it('finds a web page that answers with its name', async () => {
    keepPictureOnFailure(page);
    const address = await page.locator('[data-service^="http"] a').first().getAttribute('href');
    const answer = await fetch(address ?? '', { signal: AbortSignal.timeout(30_000) });
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain(name);
  });

  it('powers it off and on', async () => {
    keepPictureOnFailure(page);
    await page.getByRole('link', { name: `Manage ${name}` }).click();
    await page.locator('[data-status="running"]').waitFor();
    await act(page, 'Power off now');
    await page.getByRole('alertdialog').getByRole('button', { name: 'Power off now' }).click();
    await page.locator('[data-status="off"]').waitFor({ timeout: 120_000 });
    await act(page, 'Power on');
    await page.locator('[data-status="running"]').waitFor({ timeout: 120_000 });
  });

  it('deletes it after typing its name', async () => {
    keepPictureOnFailure(page);
    await deleteServer(page, name);
    await page.getByText('Nothing ordered yet').waitFor();
  });
});
