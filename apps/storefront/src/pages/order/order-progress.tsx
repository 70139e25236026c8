import { Link } from '@tanstack/react-router';
import { ExternalLink } from 'lucide-react';
import type { ActionWire, OrderWire, ServerWire } from '#libs/contracts';
import { buttonClass } from '../../components/button.tsx';
import { Docket, DocketRule } from '../../components/docket.tsx';
import { Notice } from '../../components/notice.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { StepList } from '../../components/step-list.tsx';
import { formatElapsed } from '../../format.ts';
import { useNow } from '../../use-now.ts';

interface OrderProgressProps {
  readonly order: OrderWire;
  readonly action: ActionWire | undefined;
  readonly server: ServerWire | undefined;
}

export function OrderProgress({ order, action, server }: OrderProgressProps) {
  const elapsedMs = useNow(true) - Date.parse(order.created);
  const steps = action?.servery?.steps ?? [];
  return (
    <div className="grid gap-6">
      {order.payment.hold === 'requires_action' && (
        <BankConfirmation url={order.payment.authentication_url} />
      )}
      {server?.servery.reason && <Notice title="It waits for a moment">{server.servery.reason}</Notice>}
      <Docket>
        <div className="flex items-baseline justify-between gap-4">
          <p
            role="timer"
            aria-label="Time since you ordered"
            className="text-4xl font-[640] tracking-tight tabular-nums"
          >
            {formatElapsed(elapsedMs)}
          </p>
          <p className="text-sm text-soft tabular-nums">{action ? `${action.progress} %` : ''}</p>
        </div>
        <ProgressBar percent={action?.progress ?? 0} />
        <DocketRule />
        {steps.length > 0 ? <StepList steps={steps} /> : <Skeleton className="mb-3 h-6" count={5} />}
        <StepAnnouncer action={action} />
      </Docket>
      <p className="text-sm text-soft">
        A real machine boots and is checked for you; that takes a minute or two. You may close this page: your
        server goes on, and waits under{' '}
        <Link to="/servers" className="text-ink underline underline-offset-4">
          My servers
        </Link>
        .
      </p>
    </div>
  );
}

function ProgressBar({ percent }: { percent: number }) {
  return (
    <div
      role="progressbar"
      aria-label="Progress of your order"
      aria-valuenow={percent}
      aria-valuemin={0}
      aria-valuemax={100}
      className="mt-4 h-1.5 overflow-hidden rounded-full bg-line"
    >
      <div
        className="h-full rounded-full bg-brand transition-[width] duration-700"
        style={{ width: `${percent}%` }}
      />
    </div>
  );
}

/** Tells screen readers of each new step, and of nothing else. */
function StepAnnouncer({ action }: { action: ActionWire | undefined }) {
  const steps = action?.servery?.steps ?? [];
  const index = steps.findIndex((step) => step.state === 'running');
  return (
    <p role="status" className="sr-only">
      {index >= 0 ? `Step ${index + 1} of ${steps.length}: ${steps[index]?.title}` : ''}
    </p>
  );
}

function BankConfirmation({ url }: { url: string | null }) {
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
      The order goes on when you have confirmed the hold on your card. Nothing is charged until then.
    </Notice>
  );
}
