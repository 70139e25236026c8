import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { HardDrive } from 'lucide-react';
import type { HostWire } from '#libs/contracts';
import { actOnHost, hostsQuery } from '../../api/operator.ts';
import { Button } from '../../components/button.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Panel } from '../../components/section.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { UsageMeter } from '../../components/usage-meter.tsx';
import { formatCount, formatDate } from '../../format.ts';
import { OperatorFrame } from './operator-frame.tsx';

export function HostsPage() {
  const { data: hosts, error, isPending, refetch } = useQuery(hostsQuery);
  return (
    <OperatorFrame title="Hosts" lead="What the fleet has, and what is promised to servers.">
      {error && <ErrorPanel error={error} retry={refetch} title="The hosts could not be loaded" />}
      {isPending && <Skeleton className="mb-4 h-44" count={2} />}
      {hosts?.length === 0 && (
        <EmptyState icon={HardDrive} title="No hosts yet">
          Add one with <code className="font-mono">servery host add</code>.
        </EmptyState>
      )}
      <div className="grid grid-cols-[minmax(0,1fr)] gap-5 md:grid-cols-2">
        {hosts?.map((host) => (
          <HostCard key={host.id} host={host} />
        ))}
      </div>
    </OperatorFrame>
  );
}

const STATE: Readonly<Record<HostWire['state'], string>> = {
  active: 'bg-brand-tint text-good dark:text-brand',
  draining: 'bg-saffron-tint text-saffron-ink',
  maintenance: 'bg-saffron-tint text-saffron-ink',
  unreachable: 'bg-bad-tint text-bad',
  lost: 'bg-bad-tint text-bad',
};

function gib(mib: number): number {
  return Math.round((mib / 1024) * 10) / 10;
}

function HostCard({ host }: { host: HostWire }) {
  const queryClient = useQueryClient();
  const change = useMutation({
    mutationFn: (name: 'drain' | 'activate') => actOnHost(host.id, name),
    onSuccess: () => queryClient.invalidateQueries(hostsQuery),
  });
  const next = host.state === 'active' ? 'drain' : 'activate';
  return (
    <Panel>
      <div className="flex items-start justify-between gap-4">
        <div className="min-w-0">
          <h2 className="text-lg">{host.name}</h2>
          <p className="truncate font-mono text-xs text-soft">{host.uri}</p>
        </div>
        <span className={`rounded-full px-2.5 py-1 text-xs font-[600] ${STATE[host.state]}`}>
          {host.state}
        </span>
      </div>
      <div className="mt-5 grid gap-4">
        <UsageMeter label="vCPUs" used={host.vcpus.used} total={host.vcpus.total} />
        <UsageMeter
          label="Memory"
          used={gib(host.memory_mib.used)}
          total={gib(host.memory_mib.total)}
          unit="GiB"
        />
        <UsageMeter label="Disk" used={host.disk_gib.used} total={host.disk_gib.total} unit="GiB" />
      </div>
      <p className="mt-5 text-sm text-soft">
        {formatCount(host.servers, 'server')} · {host.domain_type === 'kvm' ? 'KVM' : 'emulation'} ·{' '}
        {host.last_seen ? `seen ${formatDate(host.last_seen)}` : 'never seen'}
        {host.domain_type_reason && <span className="block">{host.domain_type_reason}</span>}
      </p>
      {change.error && <ErrorPanel error={change.error} />}
      {host.state !== 'lost' && (
        <Button
          look="secondary"
          size="small"
          className="mt-4"
          busy={change.isPending}
          aria-label={`${next === 'drain' ? 'Drain' : 'Activate'} ${host.name}`}
          onClick={() => change.mutate(next)}
        >
          {next === 'drain' ? 'Drain' : 'Activate'}
        </Button>
      )}
    </Panel>
  );
}
