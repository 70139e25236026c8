import { z } from 'zod';
import type { Stripe } from '../stripe/types.ts';
import { expand, metadata, page, range, type ShapeOf, text } from './form.ts';
import { newCustomer } from './objects.ts';
import { isWithin, listPage, mergeMetadata } from './paging.ts';
import { invalid, missing } from './problem.ts';
import { route } from './routes.ts';
import type { World } from './world.ts';

const createShape = z.strictObject({
  email: text.optional(),
  name: text.optional(),
  phone: text.optional(),
  description: text.optional(),
  metadata: metadata.optional(),
  payment_method: text.optional(),
  invoice_settings: z.strictObject({ default_payment_method: text.optional() }).optional(),
  test_clock: text.optional(),
  expand: expand.optional(),
} satisfies ShapeOf<Stripe.CustomerCreateParams>);

const updateShape = createShape.omit({ payment_method: true, test_clock: true });
const listShape = z.strictObject({
  ...page,
  email: text.optional(),
  created: range.optional(),
} satisfies ShapeOf<Stripe.CustomerListParams>);
const cardsShape = z.strictObject({
  ...page,
  type: text.optional(),
} satisfies ShapeOf<Stripe.CustomerListPaymentMethodsParams>);
const readShape = z.strictObject({ expand: expand.optional() });

/** A customer that is not deleted. @throws StripeProblem 404. */
export function liveCustomer(world: World, id: string, param = 'id'): Stripe.Customer {
  const customer = world.find('customer', id, param);
  if ('deleted' in customer) throw missing('customer', id, param);
  return customer;
}

function create(world: World, params: z.infer<typeof createShape>): Stripe.Customer {
  if (params.payment_method) throw invalid('Attach the payment method instead.', { param: 'payment_method' });
  if (params.test_clock) world.find('test_helpers.test_clock', params.test_clock, 'test_clock');
  const customer = newCustomer(world, {
    test_clock: params.test_clock ?? null,
    email: params.email ?? null,
    name: params.name ?? null,
    phone: params.phone ?? null,
    description: params.description ?? null,
    metadata: mergeMetadata({}, params.metadata),
  });
  world.store.put('customer', customer);
  world.emit('customer.created', customer);
  return customer;
}

export function updateCustomer(
  world: World,
  params: z.infer<typeof updateShape>,
  { id }: { id: string },
): Stripe.Customer {
  const old = liveCustomer(world, id);
  const cardId = params.invoice_settings?.default_payment_method;
  if (cardId) {
    const method = world.find('payment_method', cardId, 'invoice_settings[default_payment_method]');
    if (method.customer !== id) {
      throw invalid(`The customer does not have a payment method with the ID ${cardId}.`, {
        code: 'resource_missing',
        param: 'invoice_settings[default_payment_method]',
      });
    }
  }
  const customer = world.store.put('customer', {
    ...old,
    email: params.email ?? old.email,
    name: params.name ?? old.name ?? null,
    phone: params.phone ?? old.phone ?? null,
    description: params.description ?? old.description,
    metadata: mergeMetadata(old.metadata, params.metadata),
    invoice_settings: {
      ...old.invoice_settings,
      ...(cardId === undefined ? {} : { default_payment_method: cardId || null }),
    },
  });
  world.emit('customer.updated', customer);
  return customer;
}

/** Deleting keeps the id known: Stripe answers `{deleted: true}` for it from then on. */
function remove(world: World, _params: object, { id }: { id: string }) {
  const old = liveCustomer(world, id);
  const deleted = { id, object: 'customer', deleted: true };
  world.store.put('customer', deleted as unknown as Stripe.Customer);
  for (const method of world.store.all('payment_method')) {
    if (method.customer !== id) continue;
    world.emit('payment_method.detached', world.store.put('payment_method', { ...method, customer: null }));
  }
  world.emit('customer.deleted', old);
  return deleted;
}

export const customerRoutes = [
  route('POST', '/v1/customers', createShape, create),
  route('GET', '/v1/customers', listShape, (world, params) =>
    listPage(
      world,
      'customer',
      '/v1/customers',
      params,
      (customer) =>
        !('deleted' in customer) &&
        (params.email === undefined || customer.email === params.email) &&
        isWithin(customer.created, params.created),
    ),
  ),
  route('GET', '/v1/customers/:id', readShape, (world, _params, { id }) => world.find('customer', id)),
  route('POST', '/v1/customers/:id', updateShape, updateCustomer),
  route('DELETE', '/v1/customers/:id', z.strictObject({}), remove),
  route('GET', '/v1/customers/:id/payment_methods', cardsShape, (world, params, { id }) => {
    liveCustomer(world, id);
    return listPage(
      world,
      'payment_method',
      `/v1/customers/${id}/payment_methods`,
      params,
      (method) => method.customer === id && (params.type === undefined || method.type === params.type),
    );
  }),
];
