import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { graveViolations, overflow } from './accessibility.fixture.ts';
import { fromEnvironment, keepPictureOnFailure, launchChromium, openPage } from './chromium.fixture.ts';
import { type Login, newLogin, signIn } from './visitor.fixture.ts';

const FOR_ALL = [
  '/',
  '/products/web',
  '/cook',
  '/configure/web',
  '/order/account',
  '/sign-in',
  '/sign-up',
  '/forgot-password',
  '/reset-password',
  '/confirm-email',
  '/no-such-page',
];
const FOR_CUSTOMERS = [
  '/order/review',
  '/servers',
  '/billing',
  '/billing/invoices',
  '/billing/credit',
  '/billing/settings',
  '/account',
  '/tokens',
  '/ssh-keys',
  '/images',
  '/recipes',
  '/volumes',
  '/images/import',
  '/orders/1',
];
const FOR_OPERATORS = [
  '/operator/hosts',
  '/operator/sagas',
  '/operator/findings',
  '/operator/revenue',
  '/operator/receivables',
  '/operator/customers',
  '/operator/refunds',
  '/operator/promotions',
  '/operator/ledger',
  '/operator/prices',
];

const login = (who: 'CUSTOMER' | 'OPERATOR'): Login => ({
  email: fromEnvironment(`SERVERY_${who}_EMAIL`),
  password: fromEnvironment(`SERVERY_${who}_PASSWORD`),
});

const DESKTOP = { width: 1280, height: 900 };
const PHONE = { width: 360, height: 740 };

describe('pages in light and in dark, at a desktop and on a phone', () => {
  let browser: Browser;
  let visitor: Page;
  let customer: Page;
  let operator: Page;
  /** Of each page that is there, by its path. */
  const titles = new Map<string, string>();

  beforeAll(async () => {
    browser = await launchChromium();
    const options = { viewport: DESKTOP, colorScheme: 'light', bypassCSP: true, hasTouch: true } as const;
    visitor = await openPage(browser, options);
    customer = await openPage(browser, options);
    operator = await openPage(browser, options);
    await signIn(customer, login('CUSTOMER'));
    await signIn(operator, login('OPERATOR'));
  });
  afterAll(() => browser.close());

  const check = async (page: Page, path: string) => {
    keepPictureOnFailure(page);
    await page.goto(path);
    await page.getByText('payments are emulated, no real money').waitFor();
    await settled(page);
    titles.set(path, await page.title());
    await expectReadable(page);
    await page.setViewportSize(PHONE);
    expect(await overflow(page)).toBe(0);
    await page.setViewportSize(DESKTOP);
  };

  it.each(FOR_ALL)('a visitor can read %s', (path) => check(visitor, path));
  it.each(FOR_CUSTOMERS)('a customer can read %s', (path) => check(customer, path));
  it.each(FOR_OPERATORS)('an operator can read %s', (path) => check(operator, path));

  it('each has a title of its own', () => {
    // The order that is not there shows the page for paths that are not there.
    expect(titles.get('/orders/1')).toBe(titles.get('/no-such-page'));
    titles.delete('/orders/1');
    expect([...titles.values()].every((title) => title.includes('Servery'))).toBe(true);
    expect(new Set(titles.values()).size, JSON.stringify([...titles])).toBe(
      FOR_ALL.length + FOR_CUSTOMERS.length + FOR_OPERATORS.length - 1,
    );
  });

  it('a customer can read the page and the menu of a server', async () => {
    keepPictureOnFailure(customer);
    await customer.goto('/servers');
    await customer.locator('main ul a').first().click();
    await customer.getByRole('heading', { name: 'Connect' }).waitFor();
    await expectReadable(customer);
    await customer.getByRole('button', { name: 'Actions', exact: true }).click();
    await customer.getByRole('menuitem', { name: 'Delete' }).click();
    await customer.getByRole('alertdialog').waitFor();
    await expectReadable(customer);
  });

  it('a customer deletes an upload that was stopped, which took one of few places', async () => {
    keepPictureOnFailure(customer);
    await customer.route('**/uploads/*', (route) =>
      // Its bytes never arrive.
      route.request().method() === 'PATCH' ? undefined : route.continue(),
    );
    await customer.goto('/images/import');
    const file = { name: 'disk.raw', mimeType: 'application/octet-stream', buffer: Buffer.alloc(1024) };
    await customer.getByLabel('Disk file').setInputFiles(file);
    await customer.getByRole('button', { name: 'Import it' }).click();
    await customer.getByRole('button', { name: 'Stop' }).click();
    const remove = customer.getByRole('button', { name: /^Delete the upload of/ });
    await remove.waitFor();
    await expectReadable(customer);
    await remove.click();
    await remove.waitFor({ state: 'detached' });
    await customer.unroute('**/uploads/*');
  });

  it('an operator can read one workflow', async () => {
    keepPictureOnFailure(operator);
    await operator.goto('/operator/sagas');
    // The page of one that goes on grows while it is looked at.
    await operator.locator('tbody tr').filter({ hasText: 'done' }).first().getByRole('link').first().click();
    await operator.getByRole('table', { name: 'Tries of each step' }).waitFor();
    await expectReadable(operator);
  });

  it('the menu of a phone has all of them', async () => {
    const page = await openPage(browser, { viewport: PHONE, hasTouch: true });
    keepPictureOnFailure(page);
    await signIn(page, login('OPERATOR'));
    await settled(page);
    expect(await overflow(page)).toBe(0);
    await page.getByRole('button', { name: /Account menu/ }).click();
    await page.getByRole('menuitem', { name: 'API tokens' }).click();
    await page.getByRole('heading', { name: 'API tokens' }).waitFor();
  });
});

/** In the dark a page differs by its colours alone. */
async function expectReadable(page: Page): Promise<void> {
  expect(await graveViolations(page)).toEqual([]);
  await turn(page, 'dark');
  expect(await graveViolations(page, 'color-contrast')).toEqual([]);
  await turn(page, 'light');
}

/** Changes the theme, and waits until no colour is on its way from the one to the other. */
async function turn(page: Page, theme: 'dark' | 'light'): Promise<void> {
  await page.evaluate(`(async () => {
    document.documentElement.dataset.theme = '${theme}';
    const changes = document.getAnimations().filter((animation) => animation instanceof CSSTransition);
    await Promise.allSettled(changes.map(({ finished }) => finished));
  })()`);
}

/** Waits until the page has its heading, and content instead of grey shapes. */
async function settled(page: Page): Promise<void> {
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.locator('.animate-skeleton').first().waitFor({ state: 'detached' });
}

describe('other people', () => {
  it('a customer does not find the pages of the operator', async () => {
    const browser = await launchChromium();
    const page = await openPage(browser);
    keepPictureOnFailure(page);
    await signIn(page, login('CUSTOMER'));
    for (const path of FOR_OPERATORS) {
      await page.goto(path);
      await page.getByRole('heading', { name: 'Not on the menu' }).waitFor();
    }
    await browser.close();
  });

  it('a visitor is asked to sign in first, and then gets where they wanted to be', async () => {
    const browser = await launchChromium();
    const page = await openPage(browser);
    keepPictureOnFailure(page);
    await page.goto('/tokens');
    await page.getByLabel('E-mail').fill(newLogin().email);
    await page.getByLabel('Password').fill('not the right one');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('The e-mail or the password is wrong').waitFor();
    const { email, password } = login('CUSTOMER');
    await page.getByLabel('E-mail').fill(email);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'API tokens' }).waitFor();
    await browser.close();
  });
});

describe('the frame of the pages', () => {
  it('is dark where the browser wants that', async () => {
    const browser = await launchChromium();
    const page = await openPage(browser, { colorScheme: 'dark' });
    keepPictureOnFailure(page);
    await page.goto('/');
    expect(await page.evaluate('document.documentElement.dataset.theme')).toBe('dark');
    await browser.close();
  });

  it('stays when the service does not answer, says so, and goes on when it is back', async () => {
    const browser = await launchChromium();
    const page = await openPage(browser);
    keepPictureOnFailure(page);
    await page.route('**/v1/**', (route) => route.abort());
    await page.goto('/servers');
    await page.getByText('Servery cannot be reached').waitFor();
    await page.getByRole('link', { name: 'Servery, home' }).waitFor();
    await page.unroute('**/v1/**');
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('heading', { name: 'Welcome back' }).waitFor();
    await browser.close();
  });

  it('leads to the sign-in page when the session has ended, and back', async () => {
    const browser = await launchChromium();
    const page = await openPage(browser);
    keepPictureOnFailure(page);
    await signIn(page, login('CUSTOMER'));
    await page.context().clearCookies();
    await page.getByRole('link', { name: 'Servery, home' }).click();
    await page.getByRole('link', { name: 'My servers' }).click();
    await page.getByRole('heading', { name: 'Welcome back' }).waitFor({ timeout: 30_000 });
    const { email, password } = login('CUSTOMER');
    await page.getByLabel('E-mail').fill(email);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'My servers' }).waitFor();
    await browser.close();
  });
});
