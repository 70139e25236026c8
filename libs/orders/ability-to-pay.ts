import type { EntityManager } from 'typeorm';
import { availableCreditMinor, payingOf } from '#libs/billing';
import type { PaymentsService } from '#libs/payments';
import { OrdersError } from './orders.errors.ts';

/**
 * Whether an account can pay for something new, in the way in which it pays.
 * @throws PaymentError `no_card`, `card_expired`; OrdersError `credit_exhausted` where credit is paid in before
 */
export async function assertCanPay(
  manager: EntityManager,
  payments: PaymentsService,
  { accountId, at }: { readonly accountId: number; readonly at: Date },
): Promise<void> {
  const { paying } = await payingOf(manager, accountId);
  if (paying.by === 'terms') return;
  if (paying.by === 'card') return payments.assertReadyToCharge(accountId);
  if ((await availableCreditMinor(manager, accountId, at)) > 0) return;
  throw new OrdersError(
    'credit_exhausted',
    'The credit of this account is used up: pay in, then order again.',
  );
}

/** Whether an account's orders need a hold on its card: not where it pays before, or with terms. */
export async function needsHold(
  manager: EntityManager,
  account: { readonly trusted: boolean },
  accountId: number,
): Promise<boolean> {
  return !account.trusted && (await payingOf(manager, accountId)).paying.by === 'card';
}
