import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { keepPictureOnFailure, launchChromium, openPage } from './chromium.fixture.ts';

const MOST_TABS = 30;

describe('by keyboard alone', () => {
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    browser = await launchChromium();
    page = await openPage(browser);
  });
  afterAll(() => browser.close());
  beforeEach(() => keepPictureOnFailure(page));

  it('the first stop is a link past the header', async () => {
    await page.goto('/configure/web');
    await page.getByRole('heading', { name: 'How big?' }).waitFor();
    await page.keyboard.press('Tab');
    expect(await focused(page)).toContain('Skip to content');
    await page.keyboard.press('Enter');
    expect(await page.evaluate<string>('document.activeElement.id')).toBe('content');
  });

  it('arrows choose the size, and the price follows', async () => {
    await tabTo(page, '[role="radio"]');
    expect(await focusIsVisible(page)).toBe(true);
    const before = await page.getByRole('complementary', { name: 'Your order' }).textContent();
    await page.keyboard.press('ArrowDown');
    const chosen = page.getByRole('radiogroup').first().locator('[aria-checked="true"]');
    expect(await focused(page)).toBe(await chosen.textContent());
    const after = await page.getByRole('complementary', { name: 'Your order' }).textContent();
    expect(after).not.toBe(before);
  });

  it('a wrong name keeps the visitor here and puts the focus on it', async () => {
    await tabTo(page, '[name="server-name"]');
    expect(await focusIsVisible(page)).toBe(true);
    await page.keyboard.press('Control+A');
    await page.keyboard.type('Not A Name');
    await page.keyboard.press('Enter');
    await page.getByText('Use lower-case letters').waitFor();
    expect(await page.evaluate<string>('document.activeElement.name')).toBe('server-name');
    expect(await page.evaluate<string>('document.activeElement.ariaInvalid')).toBe('true');
  });

  it('a right one goes on to the account', async () => {
    await page.keyboard.press('Control+A');
    await page.keyboard.type('by-keyboard');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/order/account');
    await page.getByRole('heading', { name: 'Who is it for?' }).waitFor();
    await tabTo(page, '[name="email"]');
    expect(await focusIsVisible(page)).toBe(true);
  });

  it('the theme is switched and remembered', async () => {
    const before = await theme(page);
    await page.getByRole('button', { name: /Switch to/ }).focus();
    await page.keyboard.press('Enter');
    const after = await theme(page);
    expect(after).not.toBe(before);
    await page.reload();
    expect(await theme(page)).toBe(after);
  });
});

/** Presses Tab until the focus is on what `selector` matches. */
async function tabTo(page: Page, selector: string): Promise<void> {
  for (let presses = 0; presses < MOST_TABS; presses += 1) {
    if (await page.evaluate<boolean>(`document.activeElement.matches(${JSON.stringify(selector)})`)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`${MOST_TABS} times Tab never came to ${selector}`);
}

function focused(page: Page): Promise<string> {
  return page.evaluate<string>('document.activeElement.textContent');
}

function focusIsVisible(page: Page): Promise<boolean> {
  const style = 'getComputedStyle(document.activeElement)';
  return page.evaluate<boolean>(`${style}.outlineStyle !== 'none' && parseFloat(${style}.outlineWidth) >= 2`);
}

function theme(page: Page): Promise<string> {
  return page.evaluate<string>('document.documentElement.dataset.theme');
}
