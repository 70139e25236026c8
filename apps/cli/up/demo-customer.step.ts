import { z } from 'zod';
import {
  accountResponse,
  createApiTokenResponse,
  createPaymentSetupResponse,
  mailedLinkResponse,
  paymentSetupResponse,
  signUpResponse,
} from '#libs/contracts';
import { sleep } from '#libs/kernel';
import { CliError } from '../cli.errors.ts';
import { BrowserSession } from './browser-session.ts';
import { saveState } from './state.ts';
import type { Step } from './step.ts';

const MAIL_TIMEOUT_SECONDS = 60;
const MAIL_POLL_MILLISECONDS = 500;
const mailList = z.object({ mails: z.array(z.object({ text: z.string() })) });
const TEST_CARD = { number: '4242424242424242', expiry: '12 / 34', cvc: '123', name: 'Demo Customer' };

/** A customer with a card on file and a token, made as any customer is: sign-up, mail, Checkout, API tokens. */
export const demoCustomerStep: Step = {
  title: 'Demo customer with a card on file',
  log: 'api',
  async run(up, progress) {
    const { demo } = up.state;
    if (demo.token !== null) return demo.customer.email;
    const session = new BrowserSession(up.url);
    progress('signing up');
    await signUpOrIn(session, demo.customer);
    if (up.mailUrl) {
      progress('confirming the address by the link in a mail');
      await confirmAddress(session, demo.customer.email, up.mailUrl);
    }
    if (up.stripeEmulatorUrl) {
      progress('entering a test card');
      await saveCard(session);
    }
    const answer = await session.post(
      '/api_tokens',
      { name: 'demo', access: 'read_write' },
      createApiTokenResponse,
    );
    demo.token = answer.token;
    await saveState(up.folder, up.state);
    return demo.customer.email;
  },
};

async function signUpOrIn(
  session: BrowserSession,
  login: { email: string; password: string },
): Promise<void> {
  try {
    await session.post('/sessions', login, accountResponse);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    await session.post('/accounts', { ...login, name: 'Demo Customer' }, signUpResponse);
  }
}

/** Follows the link of the mail that signing up sent. One that does not come in time is no reason to stop. */
async function confirmAddress(session: BrowserSession, email: string, mailUrl: string): Promise<void> {
  const { account } = await session.get('/account', accountResponse);
  if (account.email_confirmed) return;
  const deadline = Date.now() + MAIL_TIMEOUT_SECONDS * 1000;
  while (Date.now() < deadline) {
    const token = await mailedToken(mailUrl, email);
    if (token !== undefined) {
      await session.post('/email_confirmations/actions/complete', { token }, mailedLinkResponse);
      return;
    }
    await sleep(MAIL_POLL_MILLISECONDS);
  }
}

async function mailedToken(mailUrl: string, email: string): Promise<string | undefined> {
  const answer = await fetch(`${mailUrl}/mails.json?to=${encodeURIComponent(email)}`);
  const { mails } = mailList.parse(await answer.json());
  const links = mails.map(({ text }) => /\/confirm-email#(\w+)/.exec(text)?.[1]);
  return links.find((token) => token !== undefined);
}

/** Fills in the hosted card page of the emulator, as a browser would. */
async function saveCard(session: BrowserSession): Promise<void> {
  const { account } = await session.get('/account', accountResponse);
  if (account.card) return;
  const body = { return_path: '/account/cards' };
  const { setup } = await session.post('/payment_methods/setups', body, createPaymentSetupResponse);
  await session.submitForm(setup.url, TEST_CARD);
  const after = await session.get(`/payment_methods/setups/${setup.id}`, paymentSetupResponse);
  if (after.setup.status !== 'complete') {
    throw new CliError(
      'api_refused',
      `The demo customer's card was not taken: the setup is ${after.setup.status}.`,
    );
  }
}
