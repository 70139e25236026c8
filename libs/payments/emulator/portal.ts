import { z } from 'zod';
import type { Stripe } from '../stripe/types.ts';
import { type CardEntry, cardForm, type EntryError, enterCard, NO_ENTRY, prefilled } from './card-form.ts';
import { liveCustomer, updateCustomer } from './customers.ts';
import { expand, type ShapeOf, text } from './form.ts';
import { newSetupIntent } from './objects.ts';
import { escapeHtml, messagePage, page } from './pages.ts';
import { detachCard } from './payment-methods.ts';
import { type Fields, goTo, type Reply, show } from './reply.ts';
import { route } from './routes.ts';
import { confirmSetup } from './setup-intents.ts';
import { stripeId, type World } from './world.ts';

const createShape = z.strictObject({
  customer: text,
  return_url: z.url().max(5000).optional(),
  expand: expand.optional(),
} satisfies ShapeOf<Stripe.BillingPortal.SessionCreateParams>);

type Session = Stripe.BillingPortal.Session;

/** A link into the portal works so long. */
const OPEN_SECONDS = 3600;

function create(world: World, params: z.infer<typeof createShape>): Session {
  const customer = liveCustomer(world, params.customer, 'customer');
  const id = stripeId('bps');
  const session = world.store.put('billing_portal.session', {
    id,
    object: 'billing_portal.session',
    configuration: 'bpc_emulated',
    created: world.now(),
    customer: customer.id,
    customer_account: null,
    flow: null,
    livemode: false,
    locale: null,
    on_behalf_of: null,
    return_url: params.return_url ?? null,
    url: `${world.publicUrl}/p/session/${id}`,
  });
  world.emit('billing_portal.session.created', session);
  return session;
}

export const portalRoutes = [route('POST', '/v1/billing_portal/sessions', createShape, create)];

/** The page on which a customer manages their cards. */
export function showPortal(world: World, id: string, query: Fields): Reply {
  const session = openSession(world, id);
  return session ? show(portalPage(world, session, prefilled(query))) : closed();
}

/** Takes a form of that page: `add` a card, or `remove` or `default` one by its id. */
export function submitPortal(world: World, id: string, body: Fields): Reply {
  const session = openSession(world, id);
  if (!session) return closed();
  const back = `${world.publicUrl}/p/session/${id}`;
  const card = cardsOf(world, session.customer).find((method) => method.id === body.card);
  if (body.do === 'add') return addCard(world, session, body, back);
  if (card && body.do === 'remove') detachCard(world, card);
  if (card && body.do === 'default') makeDefault(world, session.customer, card.id);
  return goTo(back);
}

function addCard(world: World, session: Session, body: Fields, back: string): Reply {
  return enterCard(
    world,
    body,
    (method) => {
      const intent = newSetupIntent(world, { customer: session.customer });
      world.store.put('setup_intent', intent);
      world.emit('setup_intent.created', intent);
      const isFirst = cardsOf(world, session.customer).length === 0;
      const after = confirmSetup(world, intent, method.id, back);
      if (isFirst && after.status === 'succeeded') makeDefault(world, session.customer, method.id);
      return goTo(after.next_action?.redirect_to_url?.url ?? back);
    },
    (entry, error, status) => show(portalPage(world, session, entry, error), status),
  );
}

function makeDefault(world: World, customer: string, card: string): void {
  updateCustomer(world, { invoice_settings: { default_payment_method: card } }, { id: customer });
}

function openSession(world: World, id: string): Session | undefined {
  const session = world.store.get('billing_portal.session', id);
  const isOpen = session && session.created + OPEN_SECONDS > world.now();
  const customer = isOpen ? world.store.get('customer', session.customer) : undefined;
  return customer && !('deleted' in customer) ? session : undefined;
}

const closed = () => show(messagePage('This page has expired', 'Open it again from the shop.'), 404);

function cardsOf(world: World, customer: string): Stripe.PaymentMethod[] {
  return world.store.all('payment_method').filter((method) => method.customer === customer);
}

function portalPage(world: World, session: Session, entry: CardEntry = NO_ENTRY, error?: EntryError): string {
  const customer = liveCustomer(world, session.customer);
  const action = `/p/session/${session.id}`;
  const rows = cardsOf(world, session.customer).map((method) =>
    cardRow(method, method.id === customer.invoice_settings.default_payment_method, action),
  );
  const back = session.return_url
    ? `<a class="back" href="${escapeHtml(session.return_url)}">Go back to the shop</a>`
    : '';
  return page(
    'Your cards',
    `<h1>Your cards</h1>
<p>${escapeHtml(customer.email ?? customer.name ?? '')}</p>
${rows.length > 0 ? `<ul class="cards">${rows.join('')}</ul>` : '<p>No card is saved yet.</p>'}
<h2>Add a card</h2>
${cardForm({ action, button: 'Add card', entry, error, hidden: { do: 'add' } })}
${back}`,
  );
}

function cardRow({ id, card }: Stripe.PaymentMethod, isDefault: boolean, action: string): string {
  const button = (what: string, label: string) =>
    `<form method="post" action="${action}"><input type="hidden" name="card" value="${id}">
<button class="small" type="submit" name="do" value="${what}">${label}</button></form>`;
  const name = `${escapeHtml(card?.brand ?? 'card')} ···· ${escapeHtml(card?.last4 ?? '')}`;
  const expiry = `${String(card?.exp_month).padStart(2, '0')} / ${card?.exp_year}`;
  return `<li><span><strong>${name}</strong><br>${expiry}${isDefault ? ' · default' : ''}</span>
<span>${isDefault ? '' : button('default', 'Make default')}${button('remove', 'Remove')}</span></li>`;
}
