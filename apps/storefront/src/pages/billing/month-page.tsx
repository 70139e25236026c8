import { useQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { ReceiptText } from 'lucide-react';
import type { BalanceWire, ForecastWire, UsageWire } from '#libs/contracts';
import {
  balanceQuery,
  dayUsageQuery,
  forecastQuery,
  limitsQuery,
  serverUsageQuery,
} from '../../api/billing.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Figure } from '../../components/figure.tsx';
import { Pager } from '../../components/pager.tsx';
import { Panel, Section } from '../../components/section.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { Cell, Table } from '../../components/table.tsx';
import { formatMinor, formatMonth, formatPrice } from '../../format.ts';
import { BillingFrame } from './billing-frame.tsx';
import { LimitMeter } from './limit-meter.tsx';
import { UsagePlot } from './usage-plot.tsx';

/** This month so far: in figures, by day and by server. */
export function MonthPage() {
  const balance = useQuery(balanceQuery);
  const forecast = useQuery(forecastQuery);
  const error = balance.error ?? forecast.error;
  return (
    <BillingFrame
      title="Billing"
      lead={forecast.data && `${formatMonth(forecast.data.month)} so far. Months and days are those of UTC.`}
    >
      {error && <ErrorPanel error={error} title="Your bill could not be loaded" />}
      <div className="grid grid-cols-[minmax(0,1fr)] gap-12">
        {balance.data && forecast.data ? (
          <Summary balance={balance.data} forecast={forecast.data} />
        ) : (
          !error && <Skeleton className="h-36" />
        )}
        <Usage />
      </div>
    </BillingFrame>
  );
}

function Summary({ balance, forecast }: { balance: BalanceWire; forecast: ForecastWire }) {
  const { data: limits } = useQuery(limitsQuery);
  const { currency, so_far: soFar } = forecast;
  const taxed = soFar.tax_minor > 0 ? 'tax included' : 'without tax';
  const overdue = balance.overdue_minor > 0 && `${formatMinor(balance.overdue_minor, currency)} overdue`;
  return (
    <Panel className="grid gap-6">
      <dl className="grid gap-6 sm:grid-cols-2 lg:grid-cols-4">
        <Figure label="Used so far" hint={taxed}>
          {formatMinor(soFar.total_minor, currency)}
        </Figure>
        <Figure label="By the end of the month" hint="if what runs goes on">
          {formatMinor(forecast.forecast.total_minor, currency)}
        </Figure>
        <Figure
          label="Open invoices"
          hint={
            overdue || (
              <Link to="/billing/invoices" className="underline underline-offset-4">
                All invoices
              </Link>
            )
          }
        >
          {formatMinor(balance.open_minor, currency)}
        </Figure>
        <Figure label="Credit" hint="used before your card">
          {formatMinor(balance.credit_minor, currency)}
        </Figure>
      </dl>
      {limits?.spending && <LimitMeter limits={limits} />}
    </Panel>
  );
}

function Usage() {
  const { page = 1 } = useSearch({ from: '/billing' });
  const days = useQuery(dayUsageQuery);
  const servers = useQuery(serverUsageQuery(page));
  const { data: forecast } = useQuery(forecastQuery);
  const error = days.error ?? servers.error;
  if (error) return <ErrorPanel error={error} title="Your usage could not be loaded" />;
  if (!days.data || !servers.data || !forecast) return <Skeleton className="h-60" />;
  if (servers.data.pagination.total_entries === 0)
    return (
      <EmptyState icon={ReceiptText} title="Nothing used this month">
        What your servers cost will stand here, by day and by server.
      </EmptyState>
    );
  const { currency, month } = forecast;
  const { usage, net, pagination } = servers.data;
  return (
    <>
      <Section title="By day" hint="Before tax.">
        <Panel>
          <UsagePlot usage={days.data} month={month} currency={currency} />
        </Panel>
      </Section>
      <Section
        title="By server"
        hint="Before tax, the dearest first; deleted servers are listed for the time that they were there."
      >
        <ServerTable usage={usage} total={Number(net)} currency={currency} />
        <Pager pagination={pagination} what="servers" />
      </Section>
    </>
  );
}

interface ServerTableProps {
  readonly usage: readonly UsageWire[];
  /** Of all servers, on whatever page. */
  readonly total: number;
  readonly currency: string;
}

function ServerTable({ usage, total, currency }: ServerTableProps) {
  return (
    <Table caption="This month by server" columns={['Server', 'Cost', 'Share']}>
      {usage.map(({ server, net }) => (
        <tr key={server?.id}>
          <Cell className="font-[600]">
            {server && (
              <Link
                to="/servers/$serverId"
                params={{ serverId: server.id }}
                className="underline decoration-line-strong underline-offset-4"
              >
                {server.name}
              </Link>
            )}
          </Cell>
          <Cell className="tabular-nums">{formatPrice(net, currency)}</Cell>
          <Cell className="text-soft tabular-nums">
            {total > 0 ? `${Math.round((Number(net) / total) * 100)} %` : ''}
          </Cell>
        </tr>
      ))}
    </Table>
  );
}
