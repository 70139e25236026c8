import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AccountWire, InvoiceWire, ServerWire } from '#libs/contracts';
import { graveViolations, overflow } from './accessibility.fixture.ts';
import { fromEnvironment, keepPictureOnFailure, launchChromium, openPage } from './chromium.fixture.ts';
import { mailsTo, openMail } from './mail.fixture.ts';
import { servery } from './servery.fixture.ts';
import { answersBySsh, newSshKey, runBySsh, type SshLogin } from './ssh.fixture.ts';
import {
  act,
  addCard,
  askApi,
  CARDS,
  chooseProduct,
  configureAgain,
  deleteServer,
  nameAndContinue,
  newLogin,
  order,
  readAccess,
  SERVED_WITHIN_MILLISECONDS,
  signIn,
  signUp,
  submitCard,
  waitUntilServed,
} from './visitor.fixture.ts';

/** The worker looks every second whether the clock was moved; what follows from it takes some more. */
const SEEN_WITHIN_MILLISECONDS = 120_000;
const WIDTHS = [1280, 390];

/** One customer, one server: each test goes on where the one before it ended. */
describe('a customer who does not pay', () => {
  const key = newSshKey('debtor@laptop');
  const login = newLogin();
  let browser: Browser;
  let page: Page;
  let name: string;
  let server: string;
  let ssh: SshLogin;

  beforeAll(async () => {
    browser = await launchChromium();
    // axe brings its script into the page, which our content security policy would refuse.
    page = await openPage(browser, { bypassCSP: true });
  });
  afterAll(() => browser.close());
  beforeEach(() => keepPictureOnFailure(page));

  it('has a server, with work of theirs in it', async () => {
    await chooseProduct(page, /debian/i);
    await page.getByRole('radio', { name: /An SSH key/ }).click();
    await page.getByLabel('Public key').fill(key.publicKey);
    name = await nameAndContinue(page);
    await signUp(page, login);
    await addCard(page, CARDS.works);
    await order(page);
    await waitUntilServed(page, name);
    await page.getByRole('link', { name: `Manage ${name}` }).click();
    await page.waitForURL(/\/servers\/\d+$/);
    server = new URL(page.url()).pathname;
    ssh = { ...(await readAccess(page)), secret: { privateKey: key.privateKey } };
    expect(await runBySsh(ssh, 'echo "a year of work" > /root/work && sync && cat /root/work')).toBe(
      'a year of work',
    );
  });

  it('has a card that the bank declines when the invoice comes', async () => {
    await page.goto('/account');
    await page.getByRole('button', { name: 'Add a card' }).click();
    await submitCard(page, CARDS.declinedWhenHeld);
    await page.getByText('ending in 0341').waitFor();
    // What was paid in advance lasts for a month; after three it is used up, whatever day it is today.
    await servery('clock', 'advance', '--days', '93');
    await reachesBilling('A payment failed');
    await page.goto('/billing/invoices');
    await page.getByRole('cell', { name: 'Overdue' }).first().waitFor();
    await looksSound(page);
    const { invoices } = await askApi<{ invoices: InvoiceWire[] }>(page, '/v1/invoices');
    expect(invoices.map(({ open_minor: open }) => open > 0)).toContain(true);
    await tells('Your payment failed', 'switched off on');
  });

  it('cannot order anything new, and is told why', async () => {
    await configureAgain(page, /debian/i);
    await page.getByText('a payment has failed').waitFor();
    expect(await page.getByRole('button', { name: 'Order and pay' }).isDisabled()).toBe(true);
    await looksSound(page);
  });

  it('is warned after three days and after six, and the server runs on', async () => {
    await servery('clock', 'advance', '--days', '3');
    await tells('Please pay your invoice', 'is still unpaid');
    await reachesBilling('A payment is overdue');
    await servery('clock', 'advance', '--days', '3');
    await tells('Last reminder: your servers are about to be switched off', 'taken off the network');
    await reachesBilling('your servers are switched off on');
    expect(await runBySsh(ssh, 'cat /root/work')).toBe('a year of work');
  });

  it('is switched off after seven, and cannot switch on again', async () => {
    await servery('clock', 'advance', '--days', '1');
    await tells('Your servers are switched off', 'Their data is kept');
    await page.goto(server);
    await page.getByText('Your servers are switched off').waitFor({ timeout: SEEN_WITHIN_MILLISECONDS });
    const status = page.locator('[data-status="off"]').filter({ hasText: 'Suspended' });
    await status.first().waitFor({ timeout: SEEN_WITHIN_MILLISECONDS });
    await looksSound(page);
    expect(await answersBySsh(ssh)).toBe(false);
    await page.getByRole('button', { name: 'Actions', exact: true }).click();
    await page.getByText('It is suspended; the rest comes when it is back.').waitFor();
    expect(await page.getByRole('menuitem', { name: 'Power on', exact: true }).isDisabled()).toBe(true);
    await looksSound(page);
    await page.keyboard.press('Escape');
    expect(await powerOn()).toBe('server_suspended');
    expect(await answersBySsh(ssh)).toBe(false);
  });

  it('pays with another card, and has the server back as it was', async () => {
    await page.getByRole('link', { name: 'Use another card' }).click();
    await page.getByRole('button', { name: 'Add a card' }).click();
    await submitCard(page, CARDS.works);
    await tells('Your servers are back', 'put back as it was');
    await page.goto(server);
    await page.locator('[data-status="running"]').first().waitFor({ timeout: SERVED_WITHIN_MILLISECONDS });
    await expect.poll(() => answersBySsh(ssh), { timeout: SERVED_WITHIN_MILLISECONDS }).toBe(true);
    expect(await runBySsh(ssh, 'cat /root/work')).toBe('a year of work');
    await page.goto('/billing/invoices');
    await page.getByRole('cell', { name: 'Paid' }).first().waitFor();
    await looksSound(page);
    const { invoices } = await askApi<{ invoices: InvoiceWire[] }>(page, '/v1/invoices');
    expect(invoices.filter(({ open_minor: open }) => open > 0)).toEqual([]);
  });

  it('stays off for as long as any other reason stands, each lifted alone', async () => {
    await page.goto(server);
    await act(page, 'Power off now');
    await page.getByRole('alertdialog').getByRole('button', { name: 'Power off now' }).click();
    await page.locator('[data-status="off"]').first().waitFor({ timeout: SEEN_WITHIN_MILLISECONDS });
    const { account } = await askApi<{ account: AccountWire }>(page, '/v1/account');
    const operator = await openPage(browser);
    await signIn(operator, {
      email: fromEnvironment('SERVERY_OPERATOR_EMAIL'),
      password: fromEnvironment('SERVERY_OPERATOR_PASSWORD'),
    });
    const decide = (action: string, body: object) =>
      tellApi(operator, `/v1/operator/accounts/${account.id}/actions/${action}`, body);
    await decide('suspend', { reason: 'abuse', note: 'Port 25 sends spam.' });
    await decide('suspend', { reason: 'operator', note: 'A question about your address.' });
    for (const standing of [['abuse', 'operator'], ['operator']]) {
      expect((await suspension())?.reasons.toSorted()).toEqual(standing);
      expect(await powerOn()).toBe('server_suspended');
      await page.goto(server);
      await page.getByText('A question about your address.').waitFor();
      await looksSound(page);
      await decide('unsuspend', { reason: standing[0] });
    }
    await expect.poll(suspension, { timeout: SEEN_WITHIN_MILLISECONDS }).toBeNull();
    const { server: seen } = await askApi<{ server: ServerWire }>(page, `/v1${server}`);
    expect(seen.status).toBe('off');
  });

  it('leaves books that are sound, and as the provider has them', async () => {
    await page.goto(server);
    await deleteServer(page, name);
    expect(await servery('books', 'check')).toContain(
      'The books are sound, and as the payment provider has it',
    );
    expect((await mailsTo(login.email)).map(({ subject }) => subject)).toHaveLength(9);
  });

  /** The page about billing shows this by itself, some time after the clock was moved. */
  async function reachesBilling(sentence: string): Promise<void> {
    await expect
      .poll(
        async () => {
          await page.goto('/billing');
          await page.getByRole('heading', { name: 'Billing', level: 1 }).waitFor();
          await page.waitForLoadState('networkidle');
          return page.getByText(sentence).count();
        },
        { timeout: SEEN_WITHIN_MILLISECONDS },
      )
      .toBeGreaterThan(0);
    await looksSound(page);
  }

  /** The mail page shows it to whoever looks. */
  async function tells(subject: string, sentence: string): Promise<void> {
    const mails = await page.context().newPage();
    await openMail(mails, login.email, subject);
    await mails.locator('pre').filter({ hasText: sentence }).waitFor();
    // axe would wait for ever for the frame of the HTML, in which no script runs.
    for (const width of WIDTHS) {
      await mails.setViewportSize({ width, height: 900 });
      expect(await overflow(mails)).toBe(0);
    }
    await mails.close();
  }

  async function suspension(): Promise<ServerWire['servery']['suspension']> {
    const { server: seen } = await askApi<{ server: ServerWire }>(page, `/v1${server}`);
    return seen.servery.suspension;
  }

  async function powerOn(): Promise<string | undefined> {
    return (await tellApi(page, `/v1${server}/actions/poweron`, {})).error?.details?.reason;
  }
});

/** No grave fault for those who do not see it, and nothing beside the edge, on a desk and on a phone. */
async function looksSound(page: Page): Promise<void> {
  const before = page.viewportSize();
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 900 });
    expect(await graveViolations(page)).toEqual([]);
    expect(await overflow(page)).toBe(0);
  }
  if (before) await page.setViewportSize(before);
}

/** Posts as the session of the page does. @returns what the API answered */
function tellApi(
  page: Page,
  path: string,
  body: object,
): Promise<{ error?: { details?: { reason?: string } } }> {
  const request = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  };
  return page.evaluate(
    `fetch(${JSON.stringify(path)}, ${JSON.stringify(request)}).then((answer) => answer.json())`,
  );
}
