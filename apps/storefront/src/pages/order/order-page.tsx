import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useEffect } from 'react';
import type { ActionWire, OrderWire, ServerWire } from '#libs/contracts';
import { accountQuery } from '../../api/account.ts';
import { ApiError } from '../../api/client.ts';
import { actionQuery, orderQuery, serverQuery } from '../../api/servers.ts';
import { buttonClass } from '../../components/button.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Notice } from '../../components/notice.tsx';
import { Page } from '../../components/page.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { NotFoundPage } from '../fallback-pages.tsx';
import { OrderFailed } from './order-failed.tsx';
import { OrderProgress } from './order-progress.tsx';
import { OrderServed } from './order-served.tsx';

/** One order from the moment it was placed: its live progress, then the server or the reason why not. */
export function OrderPage() {
  const { orderId } = useParams({ from: '/orders/$orderId' });
  const order = useQuery(orderQuery(orderId));
  const action = useQuery(actionQuery(order.data?.action_id ?? null));
  const server = useQuery({ ...serverQuery(order.data?.server_id ?? 0), enabled: Boolean(order.data) });
  useRefreshWhenFinished(order.data, action.data);
  const isGone = order.data?.status === 'fulfilled' && isNotFound(server.error);
  const name = isGone ? undefined : server.data?.name;
  if (isNotFound(order.error)) return <NotFoundPage />;
  return (
    <Page
      title={headline(order.data, name)}
      narrow
      above={
        <p className="mb-2 font-mono text-sm text-soft">{order.data?.status !== 'fulfilled' && name}&nbsp;</p>
      }
    >
      {order.error && !order.data && <ErrorPanel error={order.error} retry={order.refetch} />}
      {!order.data && !order.error && <Skeleton className="h-80" />}
      {order.data && isGone ? (
        <ServedAndDeleted />
      ) : (
        order.data && <OrderBody order={order.data} action={action.data} server={server.data} />
      )}
    </Page>
  );
}

function isNotFound(error: Error | null): boolean {
  return error instanceof ApiError && error.status === 404;
}

function ServedAndDeleted() {
  return (
    <Notice
      title="The server has been deleted since"
      actions={
        <Link to="/" className={buttonClass('primary', 'small')}>
          Order another
        </Link>
      }
    >
      It was set up and handed over; what it cost until it was deleted is on your invoice.
    </Notice>
  );
}

function headline(order: OrderWire | undefined, name: string | undefined): string {
  if (order?.status === 'fulfilled') return `${name ?? 'Your server'} is served`;
  if (order?.status === 'failed') return 'This one did not work out';
  if (order?.status === 'cancelled') return 'This order was cancelled';
  return 'Your server is on its way';
}

interface OrderBodyProps {
  readonly order: OrderWire;
  readonly action: ActionWire | undefined;
  readonly server: ServerWire | undefined;
}

function OrderBody({ order, action, server }: OrderBodyProps) {
  if (order.status === 'fulfilled' && server)
    return <OrderServed order={order} action={action} server={server} />;
  if (order.status === 'failed' || order.status === 'cancelled')
    return <OrderFailed order={order} action={action} />;
  return <OrderProgress order={order} action={action} server={server} />;
}

/** The action ends a moment before the order is asked for again; this brings all up to date at once. */
function useRefreshWhenFinished(order: OrderWire | undefined, action: ActionWire | undefined): void {
  const queryClient = useQueryClient();
  const finished = order?.status !== undefined && order.status !== 'placed';
  const actionEnded = action !== undefined && action.status !== 'running';
  useEffect(() => {
    if (!actionEnded && !finished) return;
    for (const queryKey of [['orders'], ['actions'], ['servers'], accountQuery.queryKey])
      void queryClient.invalidateQueries({ queryKey });
  }, [actionEnded, finished, queryClient]);
}
