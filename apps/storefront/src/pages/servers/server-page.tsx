import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { ChevronLeft } from 'lucide-react';
import type { ServerWire } from '#libs/contracts';
import { ApiError } from '../../api/client.ts';
import { serverActionsQuery, serverQuery } from '../../api/servers.ts';
import { buttonClass } from '../../components/button.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Notice } from '../../components/notice.tsx';
import { Page } from '../../components/page.tsx';
import { Panel } from '../../components/section.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { ServerStatus } from '../../components/status.tsx';
import { formatCount, formatDate, formatGb } from '../../format.ts';
import { ConnectPanel } from './connect-panel.tsx';
import { CredentialsPanel } from './credentials-panel.tsx';
import { PowerMenu } from './power-menu.tsx';

export function ServerPage() {
  const { serverId } = useParams({ from: '/servers/$serverId' });
  const { data: server, error, refetch } = useQuery(serverQuery(serverId));
  if (error instanceof ApiError && error.status === 404) return <ServerGone />;
  return (
    <Page
      title={server?.name ?? 'Server'}
      above={
        <Link
          to="/servers"
          className="mb-6 inline-flex items-center gap-1 text-sm text-soft hover:text-ink hover:underline"
        >
          <ChevronLeft aria-hidden="true" className="size-4" /> My servers
        </Link>
      }
      actions={server && <PowerMenu server={server} />}
      lead={server && <ServerStatus status={server.status} />}
    >
      {error && <ErrorPanel error={error} retry={refetch} />}
      {server ? <ServerBody server={server} /> : !error && <Skeleton className="mb-4 h-44" count={2} />}
    </Page>
  );
}

function ServerBody({ server }: { server: ServerWire }) {
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-8 lg:grid-cols-[minmax(0,1fr)_22rem]">
      <div className="grid min-w-0 content-start gap-6">
        {!server.servery.ready && server.servery.order_id !== null && <StillComing server={server} />}
        <ConnectPanel server={server} />
        <CredentialsPanel server={server} />
      </div>
      <div className="grid min-w-0 content-start gap-6">
        <Facts server={server} />
        <History serverId={server.id} />
      </div>
    </div>
  );
}

function StillComing({ server }: { server: ServerWire }) {
  return (
    <Notice
      title="It is not ready yet"
      actions={
        <Link
          to="/orders/$orderId"
          params={{ orderId: server.servery.order_id ?? 0 }}
          className={buttonClass('secondary', 'small')}
        >
          Follow its progress
        </Link>
      }
    >
      {server.servery.reason ?? 'We are setting it up and checking it.'}
    </Notice>
  );
}

function Facts({ server }: { server: ServerWire }) {
  const size = server.server_type;
  const facts = [
    ['Appliance', server.servery.appliance],
    ['Size', `${size.name}: ${formatCount(size.cores, 'vCPU')}, ${formatGb(size.memory)}`],
    ['Disk', formatGb(server.primary_disk_size)],
    ['Address', server.public_net.ipv4?.ip ?? 'none yet'],
    ['Location', server.location.description],
    ['Ordered', formatDate(server.created)],
    ['Ready', server.servery.ready_at ? formatDate(server.servery.ready_at) : 'not yet'],
  ];
  return (
    <Panel>
      <h2 className="text-lg">Facts</h2>
      <dl className="mt-3 divide-y divide-line text-[0.9375rem]">
        {facts.map(([label, value]) => (
          <div key={label} className="flex justify-between gap-4 py-2.5">
            <dt className="text-soft">{label}</dt>
            <dd className="min-w-0 text-right font-medium">{value}</dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}

const OUTCOME = { running: 'under way', success: 'done', error: 'failed' } as const;

function History({ serverId }: { serverId: number }) {
  const { data: actions } = useQuery(serverActionsQuery(serverId));
  if (!actions?.length) return null;
  return (
    <Panel>
      <h2 className="text-lg">History</h2>
      <ul className="mt-3 divide-y divide-line text-sm">
        {actions.map((action) => (
          <li key={action.id} className="py-2.5">
            <span className="flex justify-between gap-4">
              <span className="font-medium">{action.command.replaceAll('_', ' ')}</span>
              <span className={action.status === 'error' ? 'font-medium text-bad' : 'text-soft'}>
                {OUTCOME[action.status]}
              </span>
            </span>
            <span className="text-soft">{formatDate(action.started)}</span>
            {action.error && <span className="block text-bad">{action.error.message}</span>}
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function ServerGone() {
  return (
    <Page title="This server is gone" lead="It was deleted, or it never was yours." narrow>
      <Link to="/servers" className={buttonClass()}>
        See my servers
      </Link>
    </Page>
  );
}
