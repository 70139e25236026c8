import { z } from 'zod';
import type { Stripe } from '../stripe/types.ts';
import { liveCustomer } from './customers.ts';
import { expand, flag, integer, metadata, page, range, type ShapeOf, text } from './form.ts';
import { lineOf, linesOf, newInvoiceItem, withLines } from './invoice-objects.ts';
import { isWithin, listPage, mergeMetadata } from './paging.ts';
import { invalid } from './problem.ts';
import { route } from './routes.ts';
import { idOf, type World } from './world.ts';

const period = z.strictObject({ start: integer, end: integer });
export const lineFields = {
  amount: integer,
  description: text.optional(),
  period: period.optional(),
  metadata: metadata.optional(),
};
const createShape = z.strictObject({
  ...lineFields,
  customer: text.optional(),
  currency: z
    .string()
    .regex(/^[a-zA-Z]{3}$/, 'Invalid currency')
    .optional(),
  invoice: text.optional(),
  expand: expand.optional(),
} satisfies ShapeOf<Stripe.InvoiceItemCreateParams>);
const updateShape = z.strictObject({
  ...lineFields,
  amount: integer.optional(),
  expand: expand.optional(),
} satisfies ShapeOf<Stripe.InvoiceItemUpdateParams>);
const listShape = z.strictObject({
  ...page,
  customer: text.optional(),
  invoice: text.optional(),
  pending: flag.optional(),
  created: range.optional(),
} satisfies ShapeOf<Stripe.InvoiceItemListParams>);
const readShape = z.strictObject({ expand: expand.optional() });

/** An invoice whose lines may still change. @throws StripeProblem 400. */
export function draftOf(world: World, id: string, param = 'invoice'): Stripe.Invoice {
  const invoice = world.find('invoice', id, param);
  if (invoice.status === 'draft') return invoice;
  throw invalid('This invoice is no longer editable.', { code: 'invoice_not_editable', param });
}

/** What a line is made of, from a request. */
export function lineParams(
  world: World,
  params: z.infer<z.ZodObject<typeof lineFields>>,
  customer: Stripe.Customer,
) {
  const now = world.now(customer);
  const { start, end } = params.period ?? { start: now, end: now };
  if (end < start) throw invalid('The period ends before it starts.', { param: 'period[end]' });
  return {
    amount: params.amount,
    description: params.description ?? null,
    metadata: mergeMetadata({}, params.metadata),
    period: { start, end },
  };
}

/** Adds an item, to a draft or to wait for the customer's next invoice. */
export function addItem(
  world: World,
  customer: Stripe.Customer,
  invoice: Stripe.Invoice | undefined,
  params: z.infer<z.ZodObject<typeof lineFields>> & { currency?: string | undefined },
): Stripe.InvoiceItem {
  const currency = (params.currency ?? invoice?.currency ?? customer.currency ?? '').toLowerCase();
  if (!currency)
    throw invalid('Missing required param: currency.', { code: 'parameter_missing', param: 'currency' });
  if (invoice && currency !== invoice.currency) {
    throw invalid(`The currency of the item must be the invoice's: ${invoice.currency}.`, {
      param: 'currency',
    });
  }
  const given = { ...lineParams(world, params, customer), currency };
  const item = world.store.put('invoiceitem', newInvoiceItem(world, customer, invoice?.id ?? null, given));
  if (invoice) takeUp(world, invoice, [item]);
  world.emit('invoiceitem.created', item);
  return item;
}

/** Puts items on a draft, as its last lines. */
export function takeUp(
  world: World,
  invoice: Stripe.Invoice,
  items: readonly Stripe.InvoiceItem[],
): Stripe.Invoice {
  const lines = items.map((item) => {
    world.store.put('invoiceitem', { ...item, invoice: invoice.id });
    return world.store.put('line_item', lineOf(item, invoice.id)).id;
  });
  return withLines(world, invoice, [...linesOf(world, invoice.id), ...lines]);
}

function create(world: World, params: z.infer<typeof createShape>): Stripe.InvoiceItem {
  const invoice = params.invoice === undefined ? undefined : draftOf(world, params.invoice);
  const owner = params.customer ?? (invoice?.customer ? idOf(invoice.customer) : undefined);
  if (!owner)
    throw invalid('Missing required param: customer.', { code: 'parameter_missing', param: 'customer' });
  if (invoice && invoice.customer !== owner) {
    throw invalid('The invoice belongs to another customer.', { param: 'invoice' });
  }
  return addItem(world, liveCustomer(world, owner, 'customer'), invoice, params);
}

function update(
  world: World,
  params: z.infer<typeof updateShape>,
  { id }: { id: string },
): Stripe.InvoiceItem {
  const old = world.find('invoiceitem', id, 'invoiceitem');
  const invoice = old.invoice === null ? undefined : draftOf(world, idOf(old.invoice));
  const amount = params.amount ?? old.amount;
  const item = world.store.put('invoiceitem', {
    ...old,
    amount,
    net_amount: amount,
    description: params.description ?? old.description,
    period: params.period ?? old.period,
    metadata: mergeMetadata(old.metadata, params.metadata),
  });
  if (invoice) {
    world.store.put('line_item', lineOf(item, invoice.id));
    withLines(world, invoice, linesOf(world, invoice.id));
  }
  return item;
}

function remove(world: World, _params: object, { id }: { id: string }): object {
  const item = world.find('invoiceitem', id, 'invoiceitem');
  if (item.invoice !== null) {
    const invoice = draftOf(world, idOf(item.invoice));
    const line = lineOf(item, invoice.id).id;
    withLines(
      world,
      invoice,
      linesOf(world, invoice.id).filter((other) => other !== line),
    );
    world.store.drop('line_item', line);
  }
  world.store.drop('invoiceitem', id);
  world.emit('invoiceitem.deleted', item);
  return { id, object: 'invoiceitem', deleted: true };
}

export const invoiceItemRoutes = [
  route('POST', '/v1/invoiceitems', createShape, create),
  route('GET', '/v1/invoiceitems', listShape, (world, params) =>
    listPage(
      world,
      'invoiceitem',
      '/v1/invoiceitems',
      params,
      (item) =>
        (params.customer === undefined || item.customer === params.customer) &&
        (params.invoice === undefined || item.invoice === params.invoice) &&
        (params.pending === undefined || (item.invoice === null) === params.pending) &&
        isWithin(item.date, params.created),
    ),
  ),
  route('GET', '/v1/invoiceitems/:id', readShape, (world, _params, { id }) =>
    world.find('invoiceitem', id, 'invoiceitem'),
  ),
  route('POST', '/v1/invoiceitems/:id', updateShape, update),
  route('DELETE', '/v1/invoiceitems/:id', z.strictObject({}), remove),
];
