import { z } from 'zod';
import type { Stripe } from '../stripe/types.ts';
import { liveCustomer } from './customers.ts';
import { expand, flag, integer, metadata, page, range, type ShapeOf, text } from './form.ts';
import { pay } from './invoice-collection.ts';
import { markUncollectible, voidInvoice } from './invoice-endings.ts';
import { finalize } from './invoice-finalize.ts';
import { addItem, draftOf, lineFields, takeUp } from './invoice-items.ts';
import { type Invoice, linesOf, newInvoice } from './invoice-objects.ts';
import { isWithin, listPage, mergeMetadata, pageOf } from './paging.ts';
import { invalid } from './problem.ts';
import { route } from './routes.ts';
import { idOf, type World } from './world.ts';

const fields = {
  auto_advance: flag.optional(),
  collection_method: z.enum(['charge_automatically', 'send_invoice']).optional(),
  days_until_due: integer.optional(),
  due_date: integer.optional(),
  default_payment_method: text.optional(),
  description: text.optional(),
  footer: text.optional(),
  metadata: metadata.optional(),
  number: z.string().min(1).max(26).optional(),
  expand: expand.optional(),
};
const createShape = z.strictObject({
  ...fields,
  customer: text,
  currency: z
    .string()
    .regex(/^[a-zA-Z]{3}$/, 'Invalid currency')
    .optional(),
  pending_invoice_items_behavior: z.enum(['exclude', 'include']).optional(),
} satisfies ShapeOf<Stripe.InvoiceCreateParams>);
const updateShape = z.strictObject(fields satisfies ShapeOf<Stripe.InvoiceUpdateParams>);
const addShape = z.strictObject({
  lines: z.array(z.strictObject(lineFields)).min(1).max(250),
  invoice_metadata: metadata.optional(),
  expand: expand.optional(),
} satisfies ShapeOf<Stripe.InvoiceAddLinesParams>);
const listShape = z.strictObject({
  ...page,
  customer: text.optional(),
  status: z.enum(['draft', 'open', 'paid', 'uncollectible', 'void']).optional(),
  collection_method: z.enum(['charge_automatically', 'send_invoice']).optional(),
  created: range.optional(),
} satisfies ShapeOf<Stripe.InvoiceListParams>);
const finalizeShape = z.strictObject({
  auto_advance: flag.optional(),
  expand: expand.optional(),
} satisfies ShapeOf<Stripe.InvoiceFinalizeInvoiceParams>);
const payShape = z.strictObject({
  payment_method: text.optional(),
  off_session: flag.optional(),
  paid_out_of_band: flag.optional(),
  expand: expand.optional(),
} satisfies ShapeOf<Stripe.InvoicePayParams>);
const readShape = z.strictObject({ expand: expand.optional() });

const HOUR_SECONDS = 3600;
const DAY_SECONDS = 86_400;
const FALLBACK_CURRENCY = 'eur';

/** When an invoice that is sent is due; null for one that is charged. */
function dueDate(
  now: number,
  collection: string,
  params: z.infer<z.ZodObject<typeof fields>>,
): number | null {
  const { days_until_due: days, due_date: date } = params;
  if (collection === 'charge_automatically') {
    if (days === undefined && date === undefined) return null;
    const param = days === undefined ? 'due_date' : 'days_until_due';
    throw invalid(`You can only pass \`${param}\` with \`collection_method\` \`send_invoice\`.`, { param });
  }
  if (days !== undefined) return now + days * DAY_SECONDS;
  if (date !== undefined) return date;
  throw invalid('If collection_method=send_invoice, you must pass days_until_due or due_date.', {
    param: 'days_until_due',
  });
}

/** @throws StripeProblem 400 for a card of somebody else. */
function ownDefault(world: World, card: string | undefined, customerId: string): string | null {
  if (!card) return null;
  const param = 'default_payment_method';
  if (world.find('payment_method', card, param).customer === customerId) return card;
  throw invalid(`The customer does not have a payment method with the ID ${card}.`, { param });
}

function create(world: World, params: z.infer<typeof createShape>): Invoice {
  const customer = liveCustomer(world, params.customer, 'customer');
  const now = world.now(customer);
  const collection_method = params.collection_method ?? 'charge_automatically';
  const auto_advance = params.auto_advance ?? false;
  const invoice = world.store.put(
    'invoice',
    newInvoice(world, customer, {
      auto_advance,
      automatically_finalizes_at: auto_advance ? now + HOUR_SECONDS : null,
      collection_method,
      currency: (params.currency ?? customer.currency ?? FALLBACK_CURRENCY).toLowerCase(),
      default_payment_method: ownDefault(world, params.default_payment_method, customer.id),
      description: params.description ?? null,
      due_date: dueDate(now, collection_method, params),
      footer: params.footer ?? null,
      metadata: mergeMetadata({}, params.metadata),
      number: params.number ?? null,
    }),
  );
  world.emit('invoice.created', invoice);
  if (params.pending_invoice_items_behavior !== 'include') return invoice;
  const isPending = (item: Stripe.InvoiceItem) =>
    item.invoice === null && item.customer === customer.id && item.currency === invoice.currency;
  return takeUp(world, invoice, world.store.all('invoiceitem').filter(isPending));
}

function update(world: World, params: z.infer<typeof updateShape>, { id }: { id: string }): Invoice {
  const old = world.find('invoice', id, 'invoice');
  const { metadata: change, auto_advance, expand: _, ...others } = params;
  const isDraft = old.status === 'draft';
  if (!isDraft && Object.values(others).some((value) => value !== undefined)) draftOf(world, id);
  const collection_method = others.collection_method ?? old.collection_method;
  const isDueGiven = others.days_until_due !== undefined || others.due_date !== undefined;
  const owner = idOf(old.customer ?? '');
  const isAdvancing = auto_advance ?? old.auto_advance ?? false;
  const now = world.now(owner);
  const invoice = world.store.put('invoice', {
    ...old,
    auto_advance: isAdvancing,
    automatically_finalizes_at:
      isDraft && isAdvancing ? (old.automatically_finalizes_at ?? now + HOUR_SECONDS) : null,
    next_payment_attempt: isAdvancing ? old.next_payment_attempt : null,
    collection_method,
    default_payment_method:
      others.default_payment_method === undefined
        ? old.default_payment_method
        : ownDefault(world, others.default_payment_method, owner),
    description: others.description ?? old.description,
    due_date: isDueGiven ? dueDate(now, collection_method, others) : old.due_date,
    footer: others.footer ?? old.footer,
    number: others.number ?? old.number,
    metadata: mergeMetadata(old.metadata, change),
  });
  world.emit('invoice.updated', invoice);
  return invoice;
}

function addLines(world: World, params: z.infer<typeof addShape>, { id }: { id: string }): Invoice {
  const draft = draftOf(world, id);
  const customer = liveCustomer(world, idOf(draft.customer ?? ''), 'customer');
  for (const line of params.lines) addItem(world, customer, world.find('invoice', id), line);
  const after = world.find('invoice', id);
  const metadata = mergeMetadata(after.metadata, params.invoice_metadata);
  return world.store.put('invoice', { ...after, metadata });
}

function remove(world: World, _params: object, { id }: { id: string }): object {
  const draft = draftOf(world, id);
  for (const lineId of linesOf(world, id)) {
    world.store.drop('invoiceitem', `ii_${lineId.slice(3)}`);
    world.store.drop('line_item', lineId);
  }
  world.store.drop('lines', id);
  world.store.drop('invoice', id);
  world.emit('invoice.deleted', draft);
  return { id, object: 'invoice', deleted: true };
}

/** Mails the invoice to its customer; nothing is mailed here, the event tells that it would be. */
function send(world: World, _params: object, { id }: { id: string }): Invoice {
  const found = world.find('invoice', id, 'invoice');
  if (found.collection_method !== 'send_invoice') {
    throw invalid('You can only manually send an invoice if its collection method is send_invoice.');
  }
  const invoice = found.status === 'draft' ? finalize(world, found) : found;
  if (invoice.status !== 'open' && invoice.status !== 'paid') {
    throw invalid(`This invoice cannot be sent: it is ${invoice.status}.`);
  }
  world.emit('invoice.sent', invoice);
  return invoice;
}

type Act<P> = (world: World, invoice: Invoice, params: P) => Invoice;
/** An endpoint that does something to one invoice. */
const action = <S extends z.ZodObject>(name: string, shape: S, act: Act<z.infer<S>>) =>
  route('POST', `/v1/invoices/:id/${name}`, shape, (world, params, { id }) =>
    act(world, world.find('invoice', id, 'invoice'), params),
  );

export const invoiceRoutes = [
  route('POST', '/v1/invoices', createShape, create),
  route('GET', '/v1/invoices', listShape, (world, params) =>
    listPage(
      world,
      'invoice',
      '/v1/invoices',
      params,
      (invoice) =>
        (params.customer === undefined || invoice.customer === params.customer) &&
        (params.status === undefined || invoice.status === params.status) &&
        (params.collection_method === undefined || invoice.collection_method === params.collection_method) &&
        isWithin(invoice.created, params.created),
    ),
  ),
  route('GET', '/v1/invoices/:id', readShape, (world, _params, { id }) =>
    world.find('invoice', id, 'invoice'),
  ),
  route('POST', '/v1/invoices/:id', updateShape, update),
  route('DELETE', '/v1/invoices/:id', z.strictObject({}), remove),
  route('GET', '/v1/invoices/:id/lines', z.strictObject(page), (world, params, { id }) => {
    world.find('invoice', id, 'invoice');
    const lines = linesOf(world, id).map((lineId) => world.find('line_item', lineId));
    return pageOf(lines, `/v1/invoices/${id}/lines`, params);
  }),
  route('POST', '/v1/invoices/:id/add_lines', addShape, addLines),
  route('POST', '/v1/invoices/:id/send', readShape, send),
  action('finalize', finalizeShape, (world, invoice, params) =>
    finalize(world, invoice, params.auto_advance),
  ),
  action('pay', payShape, pay),
  action('void', readShape, voidInvoice),
  action('mark_uncollectible', readShape, markUncollectible),
];

const paymentsShape = z.strictObject({
  ...page,
  invoice: text.optional(),
  payment: z.strictObject({ type: text, payment_intent: text.optional() }).optional(),
  status: z.enum(['open', 'paid', 'canceled']).optional(),
} satisfies ShapeOf<Stripe.InvoicePaymentListParams>);

export const invoicePaymentRoutes = [
  route('GET', '/v1/invoice_payments', paymentsShape, (world, params) =>
    listPage(
      world,
      'invoice_payment',
      '/v1/invoice_payments',
      params,
      (payment) =>
        (params.invoice === undefined || payment.invoice === params.invoice) &&
        (params.payment?.payment_intent === undefined ||
          payment.payment.payment_intent === params.payment.payment_intent) &&
        (params.status === undefined || payment.status === params.status),
    ),
  ),
  route('GET', '/v1/invoice_payments/:id', readShape, (world, _params, { id }) =>
    world.find('invoice_payment', id, 'invoice_payment'),
  ),
];
