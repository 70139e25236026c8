import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { graveViolations } from './accessibility.fixture.ts';
import { keepPictureOnFailure, launchChromium, openPage } from './chromium.fixture.ts';
import { CARDS, newLogin } from './visitor.fixture.ts';

let browser: Browser;
let page: Page;

beforeAll(async () => {
  browser = await launchChromium();
  page = await openPage(browser, { bypassCSP: true });
  const { email, password } = newLogin();
  await page.goto('/sign-up');
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.getByRole('heading', { name: 'Create your account' }).waitFor({ state: 'detached' });
});
afterAll(() => browser.close());

it('a customer pays in on the page of the payment provider, and it becomes credit', async () => {
  keepPictureOnFailure(page);
  await page.goto('/billing/credit');
  await page.getByRole('button', { name: 'Pay in' }).click();
  await page.getByLabel('Amount').fill('25');
  expect(await graveViolations(page)).toEqual([]);
  await page.getByRole('dialog').getByRole('button', { name: 'Go to payment' }).click();
  await page.getByRole('heading', { name: 'Pay 25.00 EUR' }).waitFor();
  await page.getByLabel('Card number').fill(CARDS.works);
  await page.getByLabel('Expiry').fill('12 / 34');
  await page.getByLabel('Security code').fill('123');
  await page.getByLabel('Name on card').fill('Ada Visitor');
  await page.getByRole('button', { name: 'Pay 25.00 EUR' }).click();
  await page.getByText('Thank you').waitFor();
  await page.getByRole('cell', { name: 'Paid in' }).first().waitFor({ timeout: 60_000 });
  await page.getByText('You have €25.00').waitFor();
  expect(await graveViolations(page)).toEqual([]);
});

it('a customer adds a card in the portal, and comes back to it', async () => {
  keepPictureOnFailure(page);
  await page.goto('/billing/settings');
  await page.getByRole('button', { name: 'Open its page' }).click();
  await page.getByRole('heading', { name: 'Your cards' }).waitFor();
  await page.getByLabel('Card number').fill(CARDS.works);
  await page.getByLabel('Expiry').fill('12 / 34');
  await page.getByLabel('Security code').fill('123');
  await page.getByLabel('Name on card').fill('Ada Visitor');
  await page.getByRole('button', { name: 'Add card' }).click();
  await page.getByText('· default').waitFor();
  await page.getByRole('link', { name: 'Go back to the shop' }).click();
  await page.getByRole('heading', { name: 'Limits and address' }).waitFor();
  await expect
    .poll(
      async () => {
        await page.reload();
        await page.getByRole('heading', { name: 'Limits and address' }).waitFor();
        await page.waitForLoadState('networkidle');
        return page.getByText('4242').count();
      },
      { timeout: 60_000 },
    )
    .toBeGreaterThan(0);
});
