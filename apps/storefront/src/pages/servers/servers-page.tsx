import { useQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { ConciergeBell, Plus } from 'lucide-react';
import type { ServerWire } from '#libs/contracts';
import { accountQuery } from '../../api/account.ts';
import { useCurrentProject } from '../../api/project.ts';
import { serversQuery } from '../../api/servers.ts';
import { buttonClass } from '../../components/button.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Page } from '../../components/page.tsx';
import { Pager } from '../../components/pager.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { ServerStatus } from '../../components/status.tsx';
import { formatCount, formatGb } from '../../format.ts';
import { StandingNotice } from '../billing/standing-notice.tsx';
import { PowerMenu } from './power-menu.tsx';

export function ServersPage() {
  const { page = 1 } = useSearch({ from: '/servers' });
  const { data, error, isPending, refetch } = useQuery(serversQuery(page));
  const { data: account } = useQuery(accountQuery);
  const projects = account?.projects ?? [];
  const project = useCurrentProject(projects);
  const servers = data?.servers;
  return (
    <Page
      title="My servers"
      lead={projects.length > 1 && project && `Project ${project.name}`}
      actions={
        <Link to="/" className={buttonClass()}>
          <Plus aria-hidden="true" className="size-4" /> Order a server
        </Link>
      }
    >
      <StandingNotice />
      {error && <ErrorPanel error={error} retry={refetch} title="Your servers could not be loaded" />}
      {isPending && <Skeleton className="mb-3 h-24" count={3} />}
      {servers?.length === 0 && page > 1 && (
        <EmptyState
          icon={ConciergeBell}
          title="This page is empty"
          action={
            <Link to="/servers" className={buttonClass()}>
              To the first page
            </Link>
          }
        />
      )}
      {servers?.length === 0 && page === 1 && (
        <EmptyState
          icon={ConciergeBell}
          title="Nothing ordered yet"
          action={
            <Link to="/" className={buttonClass()}>
              See the catalog
            </Link>
          }
        >
          Your servers will stand here, each with its status and the way in.
        </EmptyState>
      )}
      {servers && servers.length > 0 && (
        <ul className="divide-y divide-line rounded-card border border-line bg-surface shadow-card">
          {servers.map((server) => (
            <ServerRow key={server.id} server={server} />
          ))}
        </ul>
      )}
      {data && <Pager pagination={data.pagination} what="servers" />}
    </Page>
  );
}

function ServerRow({ server }: { server: ServerWire }) {
  const size = server.server_type;
  return (
    <li className="grid grid-cols-[1fr_auto] items-center gap-x-4 gap-y-2 p-4 sm:grid-cols-[minmax(0,1.4fr)_minmax(0,1fr)_9rem_auto] sm:px-5">
      <div className="min-w-0">
        <Link
          to="/servers/$serverId"
          params={{ serverId: server.id }}
          className="block truncate text-lg font-[600] tracking-tight hover:underline"
        >
          {server.name}
        </Link>
        <p className="truncate text-sm text-soft">
          {server.servery.appliance} · {formatCount(size.cores, 'vCPU')}, {formatGb(size.memory)}
        </p>
      </div>
      <p className="truncate font-mono text-sm text-soft max-sm:order-last">{address(server)}</p>
      <div className="max-sm:order-last max-sm:justify-self-end">
        <ServerStatus status={server.status} isSuspended={server.servery.suspension !== null} />
      </div>
      <PowerMenu server={server} compact />
    </li>
  );
}

function address(server: ServerWire): string {
  const ssh = server.servery.access.find((way) => way.service === 'ssh');
  if (ssh) return `${ssh.host}:${ssh.port}`;
  return server.servery.reason ?? server.public_net.ipv4?.ip ?? '';
}
