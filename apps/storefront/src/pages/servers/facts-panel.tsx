import type { ServerWire } from '#libs/contracts';
import { CopyButton } from '../../components/copy-button.tsx';
import { Panel } from '../../components/section.tsx';
import { Time } from '../../components/time.tsx';
import { formatCount, formatGb } from '../../format.ts';

export function FactsPanel({ server }: { server: ServerWire }) {
  const { server_type: size, servery } = server;
  const ip = server.public_net.ipv4?.ip;
  const facts = [
    ['Appliance', servery.appliance],
    ['Size', `${size.name}: ${formatCount(size.cores, 'vCPU')}, ${formatGb(size.memory)}`],
    ['Disk', formatGb(server.primary_disk_size)],
    ['Address', ip ? <Address key="address" ip={ip} /> : 'none yet'],
    ['Location', server.location.description],
    ['Number', String(server.id)],
    ['Ordered', <Time key="ordered" at={server.created} />],
    ['Ready', servery.ready_at ? <Time key="ready" at={servery.ready_at} /> : 'not yet'],
  ] as const;
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

function Address({ ip }: { ip: string }) {
  return (
    <span className="-my-1.5 flex items-center gap-2">
      {ip} <CopyButton text={ip} label="address" iconOnly />
    </span>
  );
}
