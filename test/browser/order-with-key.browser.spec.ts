import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { keepPictureOnFailure, launchChromium, openPage } from './chromium.fixture.ts';
import { newSshKey, runBySsh } from './ssh.fixture.ts';
import {
  askApi,
  CARDS,
  chooseProduct,
  configureAgain,
  deleteServer,
  nameAndContinue,
  newLogin,
  order,
  readAccess,
  signUp,
  submitCard,
  waitUntilServed,
} from './visitor.fixture.ts';

const UNDONE_WITHIN_MILLISECONDS = 120_000;

interface OrderAnswer {
  readonly order: { readonly status: string; readonly payment: { readonly hold: string } };
}

/** One visitor, one key and one card; each test goes on where the one before it ended. */
describe('a visitor with an SSH key, whose bank wants each payment confirmed (3-D Secure)', () => {
  const key = newSshKey('visitor@laptop');
  let browser: Browser;
  let page: Page;
  let name: string;

  beforeAll(async () => {
    browser = await launchChromium();
    page = await openPage(browser);
  });
  afterAll(() => browser.close());
  beforeEach(() => keepPictureOnFailure(page));

  it('has no card while the bank was not answered as it wants', async () => {
    await chooseProduct(page, /debian/i);
    await page.getByRole('radio', { name: /A password/ }).click();
    name = await nameAndContinue(page);
    await signUp(page, newLogin());
    await page.getByText('A card is needed for this order').waitFor();
    expect(await page.getByText('This cannot be ordered right now').count()).toBe(0);
    await page.getByRole('button', { name: 'Add a card' }).click();
    await submitCard(page, CARDS.asksTheBank);
    await page.getByRole('button', { name: 'Fail authentication' }).click();
    await page.getByRole('link', { name: 'Cancel and go back' }).click();
    await page.getByText('No card was added').waitFor();
    await page.getByRole('link', { name: 'Back', exact: true }).click();
    expect(await page.getByTestId('docket-name').textContent()).toBe(name);
    expect(await page.getByRole('button', { name: 'Order and pay' }).isDisabled()).toBe(true);
  });

  it('has it once the bank says yes', async () => {
    await page.getByRole('button', { name: 'Add a card' }).click();
    await submitCard(page, CARDS.asksTheBank);
    await page.getByRole('button', { name: 'Complete authentication' }).click();
    await page.getByText('ending in 3184').waitFor();
  });

  it('abandons the confirmation and takes the order back: no server, no charge', async () => {
    await order(page);
    await goToTheBank(page);
    const bankUrl = page.url();
    await page.goBack();
    await page.getByText('Your bank wants you to confirm').waitFor();
    expect(await holdOf(page)).toBe('requires_action');
    await page.getByRole('button', { name: 'Cancel this order' }).click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Cancel the order' }).click();
    await page
      .getByRole('heading', { name: 'This order was cancelled' })
      .waitFor({ timeout: UNDONE_WITHIN_MILLISECONDS });
    await nothingWasCharged(page);
    await page.goto(bankUrl);
    await page.getByRole('heading', { name: 'Already answered' }).waitFor();
  });

  it('fails the confirmation: the page says so, there is no server and no charge', async () => {
    await configureAgain(page, /debian/i);
    await order(page);
    await goToTheBank(page);
    await page.getByRole('button', { name: 'Fail authentication' }).click();
    await page
      .getByRole('heading', { name: 'This one did not work out' })
      .waitFor({ timeout: UNDONE_WITHIN_MILLISECONDS });
    await page.getByText('The payment was not confirmed with your bank').waitFor();
    await nothingWasCharged(page);
  });

  it('is told what is wrong with a key that cannot be one', async () => {
    await chooseProduct(page, /debian/i);
    await page.getByRole('radio', { name: /An SSH key/ }).click();
    await page.getByLabel('Public key').fill(key.privateKey);
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByText('This is a private key').waitFor();
    expect(new URL(page.url()).pathname).toMatch(/^\/configure\//);
  });

  it('completes the confirmation: the order goes on by itself and is paid once the server is verified', async () => {
    await page.getByLabel('Public key').fill(key.publicKey);
    name = await nameAndContinue(page);
    await page.getByRole('heading', { name: 'Check and pay' }).waitFor();
    await order(page);
    await goToTheBank(page);
    await page.getByRole('button', { name: 'Complete authentication' }).click();
    await page.waitForURL(/\/orders\/\d+/);
    await page.getByRole('progressbar').waitFor();
    expect(page.url()).not.toContain('secret');
    expect(await page.getByText('Your bank wants you to confirm').count()).toBe(0);
    await waitUntilServed(page, name);
    expect(await holdOf(page)).toBe('captured');
  });

  it('gets in with the key', async () => {
    await page.getByText('There is no password.').waitFor();
    const access = await readAccess(page);
    const output = await runBySsh({ ...access, secret: { privateKey: key.privateKey } }, 'hostname');
    expect(output).toBe(name);
  });

  it('finds the key again under SSH keys, named by its comment', async () => {
    await page.goto('/ssh-keys');
    await page.getByText('visitor@laptop').waitFor();
  });

  it('deletes the server', async () => {
    await page.goto('/servers');
    await page.getByRole('link', { name }).click();
    await deleteServer(page, name);
  });
});

/** From the order's page, which asks for it, to the page of the bank. */
async function goToTheBank(page: Page): Promise<void> {
  await page.getByRole('link', { name: 'Confirm with your bank' }).click();
  await page.getByRole('heading', { name: 'Your bank asks: is it you?' }).waitFor();
}

async function holdOf(page: Page): Promise<string> {
  const { order: shown } = await askApi<OrderAnswer>(page, `/v1${new URL(page.url()).pathname}`);
  return shown.payment.hold;
}

/** On the page of an order that came to nothing. */
async function nothingWasCharged(page: Page): Promise<void> {
  await page.getByText('You were not charged').waitFor();
  expect(['cancelled', 'declined']).toContain(await holdOf(page));
  await page.goto('/servers');
  await page.getByText('Nothing ordered yet').waitFor();
}
