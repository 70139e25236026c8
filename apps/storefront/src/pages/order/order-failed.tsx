import { Link } from '@tanstack/react-router';
import type { ActionWire, OrderWire } from '#libs/contracts';
import { buttonClass } from '../../components/button.tsx';
import { Notice } from '../../components/notice.tsx';
import { Panel } from '../../components/section.tsx';
import { StepList } from '../../components/step-list.tsx';
import { formatMinor } from '../../format.ts';

/** Says first that nothing was charged, then what went wrong, then what to do. */
export function OrderFailed({ order, action }: { order: OrderWire; action: ActionWire | undefined }) {
  const declined = order.payment.hold === 'declined';
  const steps = action?.servery?.steps ?? [];
  return (
    <div className="grid gap-6">
      <Notice
        tone={order.status === 'cancelled' ? 'info' : 'bad'}
        title={order.payment.hold === 'captured' ? 'Your payment is being returned' : 'You were not charged'}
        actions={
          <>
            <Link to={declined ? '/account' : '/'} className={buttonClass('primary')}>
              {declined ? 'Use another card' : 'Order again'}
            </Link>
            {declined && (
              <Link to="/" className={buttonClass('secondary')}>
                Back to the catalog
              </Link>
            )}
          </>
        }
      >
        <p>{reason(order, action)}</p>
        <p className="mt-1">{moneyNote(order)}</p>
      </Notice>
      {steps.length > 0 && (
        <Panel>
          <h2 className="mb-5 text-lg">What happened</h2>
          <StepList steps={steps} />
        </Panel>
      )}
    </div>
  );
}

const PAYMENT_FAILURES: Readonly<Record<string, string>> = {
  insufficient_funds: 'Your bank says that there is not enough money on the card.',
  card_expired: 'The card has expired.',
  incorrect_cvc: 'The security code of the card is wrong.',
  authentication_required: 'Your bank wants you to confirm the payment, and it was not confirmed.',
  authentication_failed: 'The payment was not confirmed with your bank.',
  hold_expired: 'The payment was not confirmed with your bank in time.',
  no_card: 'There was no card on file any more.',
};

function reason(order: OrderWire, action: ActionWire | undefined): string {
  if (order.status === 'cancelled') return 'You took the order back before the server was finished.';
  const known = PAYMENT_FAILURES[order.payment.failure ?? ''];
  if (known) return known;
  if (order.payment.hold === 'declined') return 'Your bank declined the hold on your card.';
  if (failedStep(action) === 'payment-confirmed') return PAYMENT_FAILURES.hold_expired ?? '';
  return action?.error?.message ?? 'The server could not be set up.';
}

function failedStep(action: ActionWire | undefined): string | undefined {
  return action?.servery?.steps.find(({ state }) => state === 'failed')?.name;
}

function moneyNote(order: OrderWire): string {
  const amount = formatMinor(order.amount_minor, order.currency);
  switch (order.payment.hold) {
    case 'captured':
      return `${amount} had been taken and goes back to your card.`;
    case 'authorized':
    case 'requested':
      return `The hold of ${amount} is being released.`;
    case 'cancelled':
      return `The hold of ${amount} has been released.`;
    default:
      return 'Nothing was held on your card.';
  }
}
