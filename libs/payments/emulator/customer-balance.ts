import { z } from 'zod';
import type { Stripe } from '../stripe/types.ts';
import { liveCustomer } from './customers.ts';
import { expand, integer, metadata, page, range, type ShapeOf, text } from './form.ts';
import { isWithin, listPage, mergeMetadata } from './paging.ts';
import { invalid } from './problem.ts';
import { route } from './routes.ts';
import { stripeId, type World } from './world.ts';

const createShape = z.strictObject({
  amount: integer,
  currency: z.string().regex(/^[a-zA-Z]{3}$/, 'Invalid currency'),
  description: text.optional(),
  metadata: metadata.optional(),
  expand: expand.optional(),
} satisfies ShapeOf<Stripe.CustomerCreateBalanceTransactionParams>);
const listShape = z.strictObject({
  ...page,
  created: range.optional(),
  invoice: text.optional(),
} satisfies ShapeOf<Stripe.CustomerListBalanceTransactionsParams>);

type Change = Stripe.CustomerBalanceTransaction;

/** Changes what a customer has with the shop. Below zero is credit, above zero is debt for the next invoice. */
export function changeBalance(
  world: World,
  customerId: string,
  amount: number,
  given: Pick<Change, 'type' | 'currency'> & Partial<Change>,
): Change {
  const customer = liveCustomer(world, customerId, 'customer');
  if (customer.currency && customer.currency !== given.currency) {
    throw invalid(`This customer's balance is in ${customer.currency}.`, { param: 'currency' });
  }
  const balance = customer.balance + amount;
  world.store.put('customer', { ...customer, balance, currency: given.currency });
  return world.store.put('customer_balance_transaction', {
    id: stripeId('cbtxn'),
    object: 'customer_balance_transaction',
    amount,
    checkout_session: null,
    created: world.now(customer),
    credit_note: null,
    customer: customerId,
    customer_account: null,
    description: null,
    ending_balance: balance,
    invoice: null,
    livemode: false,
    metadata: {},
    ...given,
  });
}

export const customerBalanceRoutes = [
  route('POST', '/v1/customers/:id/balance_transactions', createShape, (world, params, { id }) =>
    changeBalance(world, id, params.amount, {
      type: 'adjustment',
      currency: params.currency.toLowerCase(),
      description: params.description ?? null,
      metadata: mergeMetadata({}, params.metadata),
    }),
  ),
  route('GET', '/v1/customers/:id/balance_transactions', listShape, (world, params, { id }) => {
    liveCustomer(world, id, 'customer');
    return listPage(
      world,
      'customer_balance_transaction',
      `/v1/customers/${id}/balance_transactions`,
      params,
      (change) =>
        change.customer === id &&
        (params.invoice === undefined || change.invoice === params.invoice) &&
        isWithin(change.created, params.created),
    );
  }),
];
