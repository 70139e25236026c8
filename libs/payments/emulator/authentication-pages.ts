import { formatMinor } from '#libs/kernel';
import type { Stripe } from '../stripe/types.ts';
import { completeSession, returnAddress } from './checkout.ts';
import { answerAuthentication } from './intents.ts';
import { authenticationPage, escapeHtml, messagePage } from './pages.ts';
import { type Fields, goTo, type Reply, show } from './reply.ts';
import { answerSetupAuthentication } from './setup-intents.ts';
import type { World } from './world.ts';

export type Authenticated = 'payment' | 'setup';
type Intent = Stripe.PaymentIntent | Stripe.SetupIntent;

/** The 3-D Secure page; the secret in its address proves that the customer was sent there. */
export function showAuthentication(world: World, kind: Authenticated, id: string, query: Fields): Reply {
  const secret = query.secret ?? '';
  const intent = intentOf(world, kind, id);
  if (!intent || intent.client_secret !== secret) {
    return show(messagePage('Nothing here', 'This page does not exist or has expired.'), 404);
  }
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
  if (!intent || intent.client_secret !== body.secret || intent.status !== 'requires_action') {
    return showAuthentication(world, kind, id, body);
  }
  const isConfirmed = body.answer === 'complete';
  const returnUrl = intent.next_action?.redirect_to_url?.return_url ?? null;
  const after =
    kind === 'payment'
      ? answerAuthentication(world, id, isConfirmed)
      : answerSetupAuthentication(world, id, isConfirmed);
  const isDone = after.status === 'succeeded' || after.status === 'requires_capture';
  const session = sessionOf(world, after);
  if (!session) return goBack(returnUrl, kind, after, isDone);
  if (!isDone) return goTo(`${world.publicUrl}/c/pay/${session.id}`);
  return goTo(returnAddress(completeSession(world, session)));
}

function sessionOf(world: World, { id, object }: Intent): Stripe.Checkout.Session | undefined {
  const field = object;
  return world.store.all('checkout.session').find((open) => open[field] === id && open.status === 'open');
}

function goBack(returnUrl: string | null, kind: Authenticated, intent: Intent, isDone: boolean): Reply {
  if (!returnUrl)
    return show(messagePage(isDone ? 'Confirmed' : 'Not confirmed', 'You can close this page.'));
  const url = new URL(returnUrl);
  url.searchParams.set(`${kind}_intent`, intent.id);
  url.searchParams.set(`${kind}_intent_client_secret`, String(intent.client_secret));
  url.searchParams.set('redirect_status', isDone ? 'succeeded' : 'failed');
  return goTo(url.href);
}

function intentOf(world: World, kind: Authenticated, id: string): Intent | undefined {
  return kind === 'payment' ? world.store.get('payment_intent', id) : world.store.get('setup_intent', id);
}
