import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keepPictureOnFailure, launchChromium, openPage } from './chromium.fixture.ts';
import {
  addCard,
  CARDS,
  chooseProduct,
  nameAndContinue,
  newLogin,
  order,
  signUp,
  submitCard,
} from './visitor.fixture.ts';

describe('a visitor whose card is declined', () => {
  let browser: Browser;
  let page: Page;
  let name: string;

  beforeAll(async () => {
    browser = await launchChromium();
    page = await openPage(browser);
  });
  afterAll(() => browser.close());

  it('comes back from a declined card to a page that says so, with the order kept', async () => {
    keepPictureOnFailure(page);
    await chooseProduct(page, /debian/i);
    await page.getByRole('radio', { name: /A password/ }).click();
    name = await nameAndContinue(page);
    await signUp(page, newLogin());
    await page.getByRole('button', { name: 'Add a card' }).click();
    await submitCard(page, CARDS.declinedWhenSaved);
    await page.getByText('Your card was declined').waitFor();
    await page.getByRole('link', { name: 'Cancel and go back' }).click();
    await page.getByText('No card was added').waitFor();
    await page.getByRole('link', { name: 'Back', exact: true }).click();
    expect(await page.getByTestId('docket-name').textContent()).toBe(name);
    expect(await page.getByRole('button', { name: 'Order and pay' }).isDisabled()).toBe(true);
  });

  it('is not charged when the bank refuses the hold, and has no server', async () => {
    keepPictureOnFailure(page);
    await addCard(page, CARDS.declinedWhenHeld);
    await order(page);
    await page.getByText('You were not charged').waitFor({ timeout: 120_000 });
    await page.getByText('Your bank declined the hold on your card').waitFor();
    await page.goto('/servers');
    await page.getByText('Nothing ordered yet').waitFor({ timeout: 60_000 });
  });
});
