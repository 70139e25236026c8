import { formatMinor } from '#libs/kernel';
import type { Stripe } from '../stripe/types.ts';
import { makeBankAccount, TEST_ACCOUNTS } from './bank-debits.ts';
import { type CardEntry, cardForm, type EntryError, enterCard, prefilled } from './card-form.ts';
import { completeSession, returnAddress } from './checkout.ts';
import { confirmIntent } from './intents.ts';
import { escapeHtml, messagePage, page } from './pages.ts';
import { type Fields, goTo, type Reply, show } from './reply.ts';
import { confirmSetup } from './setup-intents.ts';
import type { World } from './world.ts';

type Session = Stripe.Checkout.Session;

/** Shows the card form, or what became of it. */
export function showCheckout(world: World, id: string, query: Fields): Reply {
  const session = world.store.get('checkout.session', id);
  if (!session) return unknown();
  if (session.status !== 'open') return closed(session);
  const entry = prefilled(query);
  const failure = lastError(world, session);
  const error: EntryError | undefined =
    failure && !entry.number ? { field: 'form', message: failure } : undefined;
  return show(checkoutPage(session, entry, error));
}

/** Takes the card form, or the one for a bank account. */
export function submitCheckout(world: World, id: string, body: Fields): Reply {
  const session = world.store.get('checkout.session', id);
  if (!session) return unknown();
  if (session.status !== 'open') return closed(session);
  if (session.mode === 'payment' && body.iban !== undefined) return payByDebit(world, session, body);
  return enterCard(
    world,
    body,
    (method) => take(world, session, method),
    (entry, error, status) => show(checkoutPage(session, entry, error), status),
  );
}

const unknown = () => show(messagePage('Nothing here', 'This page does not exist or has expired.'), 404);

function lastError(world: World, session: Session): string | undefined {
  if (session.payment_intent) {
    return world.find('payment_intent', String(session.payment_intent)).last_payment_error?.message;
  }
  return world.find('setup_intent', String(session.setup_intent)).last_setup_error?.message;
}

/** Charges or saves a card; the bank may ask its owner first. @throws StripeProblem 402. */
function take(world: World, session: Session, method: Stripe.PaymentMethod): Reply {
  const here = `${world.publicUrl}/c/pay/${session.id}`;
  const intent = session.payment_intent
    ? confirmIntent(world, world.find('payment_intent', String(session.payment_intent)), {
        payment_method: method.id,
        return_url: here,
      })
    : confirmSetup(world, world.find('setup_intent', String(session.setup_intent)), method.id, here);
  const ask = intent.next_action?.redirect_to_url?.url;
  return goTo(ask ?? returnAddress(completeSession(world, session)));
}

function payByDebit(world: World, session: Session, body: Fields): Reply {
  const method = makeBankAccount(world, (body.iban ?? '').slice(0, 60), (body.name ?? '').slice(0, 100));
  if (method) return take(world, session, method);
  const error: EntryError = { field: 'form', message: 'This is none of the test accounts listed below.' };
  return show(checkoutPage(session, prefilled({}), error), 400);
}

function closed(session: Session): Reply {
  if (session.status === 'complete') {
    const title = session.mode === 'payment' ? 'Thank you, this is paid for' : 'Your card is saved';
    return show(messagePage(title, 'You can close this page.', returnAddress(session)));
  }
  const back = session.cancel_url ?? undefined;
  return show(messagePage('This page has expired', 'Ask for a new one in the shop.', back), 410);
}

function checkoutPage(session: Session, entry: CardEntry, error?: EntryError): string {
  const action = `/c/pay/${session.id}`;
  const isPaid = session.mode === 'payment';
  const sum = `${formatMinor(session.amount_total ?? 0)} ${(session.currency ?? '').toUpperCase()}`;
  const title = isPaid ? `Pay ${sum}` : 'Save your card';
  const about = isPaid
    ? 'The amount is charged to your card when you press the button.'
    : 'Nothing is charged now. The card is used for what you order later.';
  const back = session.cancel_url
    ? `<a class="back" href="${escapeHtml(session.cancel_url)}">Cancel and go back</a>`
    : '';
  return page(
    title,
    `<h1>${escapeHtml(title)}</h1>
<p>${about}</p>
${cardForm({ action, button: isPaid ? `Pay ${sum}` : 'Save card', entry, error })}
${isPaid ? debitForm(action) : ''}
${back}`,
  );
}

function debitForm(action: string): string {
  const accounts = Object.entries(TEST_ACCOUNTS).map(
    ([iban, isGood]) =>
      `<li><code>${iban}</code><span>${isGood ? 'pays' : 'is returned'} after 3 minutes</span></li>`,
  );
  return `<details><summary>Pay by bank debit (SEPA)</summary>
<form method="post" action="${escapeHtml(action)}">
<label for="iban">IBAN</label><input id="iban" name="iban" maxlength="42" autocomplete="off">
<button class="plain" type="submit">Pay by debit</button>
</form>
<ul>${accounts.join('')}</ul></details>`;
}
