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

describe.each(['light', 'dark'] as const)('in %s mode', (colorScheme) => {
  let browser: Browser;
  let visitor: Page;
  let customer: Page;
  let operator: Page;

  beforeAll(async () => {
    browser = await launchChromium();
    const options = { colorScheme, bypassCSP: true } as const;
    visitor = await openPage(browser, options);
    customer = await openPage(browser, options);
    operator = await openPage(browser, options);
    await signIn(customer, login('CUSTOMER'));
    await signIn(operator, login('OPERATOR'));
  });
  afterAll(() => browser.close());

  it.each(FOR_ALL)('a visitor can read %s', (path) => check(visitor, path));
  it.each(FOR_CUSTOMERS)('a customer can read %s', (path) => check(customer, path));
  it.each(FOR_OPERATORS)('an operator can read %s', (path) => check(operator, path));

  it('a customer can read the page and the menu of a server', async () => {
    keepPictureOnFailure(customer);
    await customer.goto('/servers');
    await customer.locator('main ul a').first().click();
    await customer.getByRole('heading', { name: 'Connect' }).waitFor();
    expect(await graveViolations(customer)).toEqual([]);
    await customer.getByRole('button', { name: 'Actions', exact: true }).click();
    await customer.getByRole('menuitem', { name: 'Delete' }).click();
    await customer.getByRole('alertdialog').waitFor();
    expect(await graveViolations(customer)).toEqual([]);
  });

  it('an operator can read one workflow', async () => {
    keepPictureOnFailure(operator);
    await operator.goto('/operator/sagas');
    await operator.locator('tbody a').first().click();
    await operator.getByRole('table', { name: 'Tries of each step' }).waitFor();
    expect(await graveViolations(operator)).toEqual([]);
  });
});

async function check(page: Page, path: string): Promise<void> {
  keepPictureOnFailure(page);
  await page.goto(path);
  await page.getByText('payments are emulated, no real money').waitFor();
  await settled(page);
  expect(await graveViolations(page)).toEqual([]);
}

/** Waits until the page has its heading, and content instead of grey shapes. */
async function settled(page: Page): Promise<void> {
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.locator('.animate-skeleton').first().waitFor({ state: 'detached' });
}

describe('at the width of a phone', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser.close());

  it('no page is wider than the window, and the menu has all of them', async () => {
    const page = await openPage(browser, { viewport: { width: 360, height: 740 }, hasTouch: true });
    keepPictureOnFailure(page);
    const found: Record<string, number> = {};
    const visit = async (paths: readonly string[]) => {
      for (const path of paths) {
        await page.goto(path);
        await page.getByRole('heading', { level: 1 }).waitFor();
        await settled(page);
        found[path] = await overflow(page);
      }
    };
    await visit(FOR_ALL);
    await signIn(page, login('OPERATOR'));
    await visit([...FOR_CUSTOMERS, ...FOR_OPERATORS]);
    expect(
      Object.values(found).every((pixels) => pixels === 0),
      JSON.stringify(found),
    ).toBe(true);
    await page.getByRole('button', { name: /Account menu/ }).click();
    await page.getByRole('menuitem', { name: 'API tokens' }).click();
    await page.getByRole('heading', { name: 'API tokens' }).waitFor();
  });
});

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
  it('gives each page a title of its own', async () => {
    const browser = await launchChromium();
    const page = await openPage(browser);
    keepPictureOnFailure(page);
    await signIn(page, login('CUSTOMER'));
    const titles = new Map<string, string>();
    for (const path of ['/', '/products/web', '/configure/web', '/no-such-page', ...FOR_CUSTOMERS]) {
      await page.goto(path);
      await settled(page);
      titles.set(await page.title(), path);
    }
    // The order that is not there shows the page for paths that are not there.
    expect([...titles.keys()].every((title) => title.includes('Servery'))).toBe(true);
    expect(titles.size).toBe(FOR_CUSTOMERS.length + 3);
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
