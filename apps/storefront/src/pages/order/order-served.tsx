import { Link } from '@tanstack/react-router';
import type { ActionWire, OrderWire, ServerWire } from '#libs/contracts';
import { buttonClass } from '../../components/button.tsx';
import { StepList } from '../../components/step-list.tsx';
import { formatDuration, formatMinor } from '../../format.ts';
import { ConnectPanel } from '../servers/connect-panel.tsx';
import { CredentialsPanel } from '../servers/credentials-panel.tsx';

interface OrderServedProps {
  readonly order: OrderWire;
  readonly action: ActionWire | undefined;
  readonly server: ServerWire;
}

export function OrderServed({ order, action, server }: OrderServedProps) {
  const steps = action?.servery?.steps ?? [];
  return (
    <div className="grid animate-settle gap-8">
      <p role="status" className="-mt-4 text-lg text-soft">
        Booted, checked and yours
        {order.finished && ` after ${formatDuration(Date.parse(order.finished) - Date.parse(order.created))}`}
        .
        {order.payment.hold === 'captured' &&
          ` ${formatMinor(order.amount_minor, order.currency)} became your credit.`}
      </p>
      <CredentialsPanel server={server} />
      <ConnectPanel server={server} />
      <div className="flex flex-wrap gap-3">
        <Link to="/servers/$serverId" params={{ serverId: server.id }} className={buttonClass('secondary')}>
          Manage {server.name}
        </Link>
        <Link to="/" className={buttonClass('quiet')}>
          Order another
        </Link>
      </div>
      {steps.length > 0 && (
        <details className="rounded-card border border-line p-4">
          <summary className="cursor-pointer font-medium">What we did</summary>
          <div className="mt-5">
            <StepList steps={steps} />
          </div>
        </details>
      )}
    </div>
  );
}
