import { useQuery } from '@tanstack/react-query';
import type { ServerWire } from '#libs/contracts';
import { catalogQuery } from '../../api/catalog.ts';
import { CopyButton } from '../../components/copy-button.tsx';
import { Panel } from '../../components/section.tsx';
import { Time } from '../../components/time.tsx';
import { formatCount, formatGb, formatHourly, formatPrice } from '../../format.ts';

export function FactsPanel({ server }: { server: ServerWire }) {
  const { server_type: size, servery } = server;
  const ip = server.public_net.ipv4?.ip;
  const facts = [
    ['Appliance', servery.appliance],
    ['Size', `${size.name}: ${formatCount(size.cores, 'vCPU')}, ${formatGb(size.memory)}`],
    ['Price', <Price key="price" server={server} />],
    ['Disk', formatGb(server.primary_disk_size)],
    ['Address', ip ? <Address key="address" ip={ip} /> : 'none yet'],
    ['Network', servery.network],
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

/** What it costs while it is there, switched on or off. */
function Price({ server }: { server: ServerWire }) {
  const { data: catalog } = useQuery(catalogQuery);
  const price = server.server_type.prices.find(({ location }) => location === server.location.name);
  if (!price || !catalog) return '…';
  return (
    <>
      {formatHourly(price.price_hourly.gross, catalog.currency)} an hour
      <span className="block text-sm font-normal text-soft">
        at most {formatPrice(price.price_monthly.gross, catalog.currency)} a month
      </span>
    </>
  );
}

function Address({ ip }: { ip: string }) {
  return (
    <span className="-my-1.5 flex items-center gap-2">
      {ip} <CopyButton text={ip} label="address" iconOnly />
    </span>
  );
}
