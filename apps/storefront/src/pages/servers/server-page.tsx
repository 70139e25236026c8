import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { ChevronLeft } from 'lucide-react';
import type { ServerWire } from '#libs/contracts';
import { ApiError } from '../../api/client.ts';
import { serverQuery } from '../../api/servers.ts';
import { buttonClass } from '../../components/button.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Notice } from '../../components/notice.tsx';
import { Page } from '../../components/page.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { ServerStatus } from '../../components/status.tsx';
import { StandingNotice } from '../billing/standing-notice.tsx';
import { ExportsPanel } from '../exports/exports-panel.tsx';
import { RehearsalsPanel } from '../rehearsals/rehearsals-panel.tsx';
import { ActionPanel } from './action-panel.tsx';
import { ApplicationPanel } from './application-panel.tsx';
import { CdDrivePanel } from './cd-drive-panel.tsx';
import { ConnectPanel } from './connect-panel.tsx';
import { CredentialsPanel } from './credentials-panel.tsx';
import { FactsPanel } from './facts-panel.tsx';
import { HistoryPanel } from './history-panel.tsx';
import { isServerBusy, isServerInRescue } from './is-busy.ts';
import { LabelsPanel } from './labels-panel.tsx';
import { MetricsPanel } from './metrics-panel.tsx';
import { NetworkNotice } from './network-notice.tsx';
import { PowerMenu } from './power-menu.tsx';
import { ProtectionSwitch } from './protection-switch.tsx';
import { RescuePanel } from './rescue-panel.tsx';
import { SnapshotsPanel } from './snapshots-panel.tsx';
import { VolumesPanel } from './volumes-panel.tsx';

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
      lead={
        server && <ServerStatus status={server.status} isSuspended={server.servery.suspension !== null} />
      }
    >
      {server?.servery.suspension && <StandingNotice />}
      {error && <ErrorPanel error={error} retry={refetch} title="This server could not be loaded" />}
      {server ? <ServerBody server={server} /> : !error && <Skeleton className="mb-4 h-44" count={2} />}
    </Page>
  );
}

function ServerBody({ server }: { server: ServerWire }) {
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-8 lg:grid-cols-[minmax(0,1fr)_22rem]">
      <div className="grid min-w-0 content-start gap-6">
        {!server.servery.ready && server.servery.order_id !== null && <StillComing server={server} />}
        <NetworkNotice server={server} />
        <ActionPanel server={server} />
        <ConnectPanel server={server} />
        {server.servery.rescue?.state !== 'running' && <CredentialsPanel server={server} />}
        <ApplicationPanel server={server} />
        {server.servery.ready && <MetricsPanel server={server} />}
        <RehearsalsPanel server={server} isBusy={isServerBusy(server) || isServerInRescue(server)} />
        <VolumesPanel server={server} />
        <SnapshotsPanel server={server} />
        <ExportsPanel
          source={{ type: 'server', id: server.id, name: server.name }}
          disabled={isServerBusy(server) || isServerInRescue(server)}
        />
        <LabelsPanel server={server} />
      </div>
      <div className="grid min-w-0 content-start gap-6">
        <FactsPanel server={server} />
        {server.servery.ready && <RescuePanel server={server} />}
        {server.servery.ready && <CdDrivePanel server={server} />}
        <ProtectionSwitch server={server} />
        <HistoryPanel serverId={server.id} />
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

function ServerGone() {
  return (
    <Page title="This server is gone" lead="It was deleted, or it never was yours." narrow>
      <Link to="/servers" className={buttonClass()}>
        See my servers
      </Link>
    </Page>
  );
}
