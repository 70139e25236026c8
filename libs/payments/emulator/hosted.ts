import { formatMinor } from '#libs/kernel';
import type { Stripe } from '../stripe/types.ts';
import { completeSession, returnAddress } from './checkout.ts';
import {
  authenticationPage,
  type CardEntry,
  checkoutPage,
  type EntryError,
  escapeHtml,
  messagePage,
} from './pages.ts';
import { answerAuthentication } from './payment-intents.ts';
import { makeCard } from './payment-methods.ts';
import { StripeProblem } from './problem.ts';
import { answerSetupAuthentication, confirmSetup } from './setup-intents.ts';
import type { World } from './world.ts';

/** What a browser gets: a page or another address. */
export type Reply = { status: number; html: string } | { status: 303; location: string };

type Fields = Readonly<Record<string, string | undefined>>;

const goTo = (location: string): Reply => ({ status: 303, location });
const show = (html: string, status = 200): Reply => ({ status, html });
const unknown = () => show(messagePage('Nothing here', 'This page does not exist or has expired.'), 404);

/** Shows the card form, or what became of it. */
export function showCheckout(world: World, id: string, query: Fields): Reply {
  const session = world.store.get('checkout.session', id);
  if (!session) return unknown();
  if (session.status !== 'open') return closedCheckout(session);
  const number = /^\d{12,19}$/.test(query.fill ?? '') ? String(query.fill) : '';
  const filled = {
    number,
    expiry: '12 / 34',
    cvc: number.startsWith('3') ? '1234' : '123',
    name: 'Test Customer',
  };
  const blank = { number: '', expiry: '', cvc: '', name: '' };
  const failure = world.find('setup_intent', String(session.setup_intent)).last_setup_error?.message;
  const error: EntryError | undefined = failure && !number ? { field: 'form', message: failure } : undefined;
  return show(checkoutPage(session, number ? filled : blank, error));
}

function closedCheckout(session: Stripe.Checkout.Session): Reply {
  if (session.status === 'complete') {
    return show(messagePage('Your card is saved', 'You can close this page.', returnAddress(session)));
  }
  const back = session.cancel_url ?? undefined;
  return show(messagePage('This page has expired', 'Ask for a new one in the shop.', back), 410);
}

/** Takes the card form. */
export function submitCheckout(world: World, id: string, body: Fields): Reply {
  const session = world.store.get('checkout.session', id);
  if (!session) return unknown();
  if (session.status !== 'open') return closedCheckout(session);
  const entry = readEntry(body);
  const expiry = /^(0?[1-9]|1[0-2])\s*\/?\s*(?:20)?(\d{2})$/.exec(entry.expiry.trim());
  const problem = incomplete(entry, expiry !== null);
  if (problem || !expiry) {
    return show(checkoutPage(session, entry, problem), 400);
  }
  try {
    const card = {
      number: entry.number,
      exp_month: Number(expiry[1]),
      exp_year: 2000 + Number(expiry[2]),
      cvc: entry.cvc,
    };
    const method = makeCard(world, card, { name: entry.name });
    const intent = world.find('setup_intent', String(session.setup_intent));
    const after = confirmSetup(world, intent, method.id, `${world.publicUrl}/c/pay/${session.id}`);
    const ask = after.next_action?.redirect_to_url?.url;
    return goTo(ask ?? returnAddress(completeSession(world, session)));
  } catch (error) {
    if (!(error instanceof StripeProblem)) throw error;
    return show(checkoutPage(session, entry, entryError(error)), 402);
  }
}

function readEntry(body: Fields): CardEntry {
  const read = (name: keyof CardEntry) => (body[name] ?? '').slice(0, 100);
  return { number: read('number'), expiry: read('expiry'), cvc: read('cvc'), name: read('name') };
}

function incomplete(entry: CardEntry, isDate: boolean): EntryError | undefined {
  if (entry.number.trim() === '') return { field: 'number', message: 'Enter your card number.' };
  if (!isDate)
    return { field: 'expiry', message: 'Enter the expiry date as month / year, for example 08 / 30.' };
  if (entry.cvc.trim() === '') return { field: 'cvc', message: "Enter your card's security code." };
  return undefined;
}

function entryError(problem: StripeProblem): EntryError {
  const { code = '', message } = problem.body;
  if (code === 'incorrect_number') return { field: 'number', message };
  if (code === 'invalid_cvc' || code === 'incorrect_cvc') return { field: 'cvc', message };
  if (code.startsWith('invalid_expiry') || code === 'expired_card') return { field: 'expiry', message };
  return { field: 'form', message };
}

export type Authenticated = 'payment' | 'setup';

/** The 3-D Secure page; the secret in its address proves that the customer was sent there. */
export function showAuthentication(world: World, kind: Authenticated, id: string, query: Fields): Reply {
  const secret = query.secret ?? '';
  const intent = intentOf(world, kind, id);
  if (!intent || intent.client_secret !== secret) return unknown();
  if (intent.status !== 'requires_action') {
    return show(messagePage('Already answered', 'This question was answered or has been withdrawn.'), 410);
  }
  const what =
    intent.object === 'payment_intent'
      ? `A payment of ${formatMinor(intent.amount)} ${intent.currency.toUpperCase()} waits for your answer.`
      : 'A card is being saved for later payments.';
  return show(authenticationPage(`/3ds/${kind}/${escapeHtml(id)}`, secret, what));
}

export function submitAuthentication(world: World, kind: Authenticated, id: string, body: Fields): Reply {
  const intent = intentOf(world, kind, id);
  if (!intent || intent.client_secret !== body.secret) return unknown();
  if (intent.status !== 'requires_action') return showAuthentication(world, kind, id, body);
  const isConfirmed = body.answer === 'complete';
  const returnUrl = intent.next_action?.redirect_to_url?.return_url ?? null;
  if (intent.object === 'payment_intent') {
    const after = answerAuthentication(world, id, isConfirmed);
    return afterAuthentication(
      returnUrl,
      kind,
      after,
      after.status === 'requires_capture' || after.status === 'succeeded',
    );
  }
  const after = answerSetupAuthentication(world, id, isConfirmed);
  const session = world.store.all('checkout.session').find((open) => open.setup_intent === id);
  if (!session) return afterAuthentication(returnUrl, kind, after, after.status === 'succeeded');
  if (after.status !== 'succeeded') return goTo(`${world.publicUrl}/c/pay/${session.id}`);
  return goTo(returnAddress(completeSession(world, session)));
}

function afterAuthentication(
  returnUrl: string | null,
  kind: Authenticated,
  intent: Stripe.PaymentIntent | Stripe.SetupIntent,
  isDone: boolean,
): Reply {
  if (!returnUrl)
    return show(messagePage(isDone ? 'Confirmed' : 'Not confirmed', 'You can close this page.'));
  const url = new URL(returnUrl);
  url.searchParams.set(`${kind}_intent`, intent.id);
  url.searchParams.set(`${kind}_intent_client_secret`, String(intent.client_secret));
  url.searchParams.set('redirect_status', isDone ? 'succeeded' : 'failed');
  return goTo(url.href);
}

function intentOf(world: World, kind: Authenticated, id: string) {
  return kind === 'payment' ? world.store.get('payment_intent', id) : world.store.get('setup_intent', id);
}
