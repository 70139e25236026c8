import { Link, useSearch } from '@tanstack/react-router';
import { ExternalLink } from 'lucide-react';
import type { ActionWire, OrderWire, ServerWire } from '#libs/contracts';
import { ActionProgress } from '../../components/action-progress.tsx';
import { buttonClass } from '../../components/button.tsx';
import { Docket } from '../../components/docket.tsx';
import { Notice } from '../../components/notice.tsx';
import { CancelOrder } from './cancel-order.tsx';

interface OrderProgressProps {
  readonly order: OrderWire;
  readonly action: ActionWire | undefined;
  readonly server: ServerWire | undefined;
}

export function OrderProgress({ order, action, server }: OrderProgressProps) {
  const { redirect_status: answer } = useSearch({ from: '/orders/$orderId' });
  const isBeingCancelled = server?.status === 'deleting';
  return (
    <div className="grid gap-6">
      {isBeingCancelled && (
        <div role="status">
          <Notice title="It is being cancelled">What has been set up is taken back, step by step.</Notice>
        </div>
      )}
      {order.payment.hold === 'requires_action' && !isBeingCancelled && (
        <BankConfirmation url={order.payment.authentication_url} answer={answer} />
      )}
      {server?.servery.reason && <Notice title="It waits for a moment">{server.servery.reason}</Notice>}
      <Docket>
        <ActionProgress
          action={action}
          since={order.created}
          clockLabel="Time since you ordered"
          barLabel="Progress of your order"
        />
      </Docket>
      <p className="text-sm text-soft">
        A real machine boots and is checked for you; that takes a minute or two. You may close this page: your
        server goes on, and waits under{' '}
        <Link to="/servers" className="text-ink underline underline-offset-4">
          My servers
        </Link>
        .
      </p>
      {!isBeingCancelled && (
        <div>
          <CancelOrder order={order} />
        </div>
      )}
    </div>
  );
}

interface BankConfirmationProps {
  readonly url: string | null;
  /** What the bank's page said on the way back; the service asks for itself, which takes a moment. */
  readonly answer: string | undefined;
}

function BankConfirmation({ url, answer }: BankConfirmationProps) {
  if (answer === 'succeeded')
    return (
      <div role="status">
        <Notice tone="good" title="Confirmed with your bank">
          The order goes on in a moment.
        </Notice>
      </div>
    );
  return (
    <Notice
      tone="warning"
      title="Your bank wants you to confirm"
      actions={
        url && (
          <a href={url} className={buttonClass('primary')}>
            Confirm with your bank <ExternalLink aria-hidden="true" className="size-4" />
          </a>
        )
      }
    >
      The order goes on when you have confirmed the hold on your card. Nothing is charged until then. You have
      a quarter of an hour; after that the order is taken back.
    </Notice>
  );
}
