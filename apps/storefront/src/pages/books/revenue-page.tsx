import { useQuery } from '@tanstack/react-query';
import { ChartColumn } from 'lucide-react';
import type { CostWire, RevenueWire } from '#libs/contracts';
import { revenueQuery } from '../../api/books.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Section } from '../../components/section.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { Cell, Table } from '../../components/table.tsx';
import { formatHours, formatMinor, formatMonth, formatPrice } from '../../format.ts';
import { sumExact } from '../../money.ts';
import { OperatorFrame } from '../operator/operator-frame.tsx';
import { EntriesLink } from './entries-link.tsx';
import { Costs } from './month-costs.tsx';

export function RevenuePage() {
  const { data, error, isPending, refetch } = useQuery(revenueQuery);
  return (
    <OperatorFrame
      area="Books"
      title="Revenue"
      lead="Invoiced, before tax, by the month of use; costs by the month of their posting. Each figure leads to its entries in the ledger."
    >
      {error && <ErrorPanel error={error} retry={refetch} title="The revenue could not be loaded" />}
      {isPending && <Skeleton className="h-60" />}
      {data?.revenue.length === 0 && (
        <EmptyState icon={ChartColumn} title="Nothing invoiced yet">
          A month stands here once its use is invoiced.
        </EmptyState>
      )}
      <div className="grid grid-cols-[minmax(0,1fr)] gap-10">
        {monthsOf(data ?? { revenue: [], costs: [] }).map(({ month, lines, costs }) => (
          <Month key={month} month={month} lines={lines} costs={costs} />
        ))}
      </div>
    </OperatorFrame>
  );
}

interface MonthLines {
  readonly month: string;
  readonly lines: readonly RevenueWire[];
  readonly costs: readonly CostWire[];
}

/** The newest first. */
function monthsOf({
  revenue,
  costs,
}: {
  revenue: readonly RevenueWire[];
  costs: readonly CostWire[];
}): MonthLines[] {
  const lines = Map.groupBy(revenue, ({ month }) => month);
  const spent = Map.groupBy(costs, ({ month }) => month);
  const months = [...new Set([...lines.keys(), ...spent.keys()])].sort().reverse();
  return months.map((month) => ({ month, lines: lines.get(month) ?? [], costs: spent.get(month) ?? [] }));
}

/** The lines of a month that one account of the ledger has. */
interface Account {
  readonly account: string;
  readonly currency: string;
  readonly lines: readonly RevenueWire[];
  readonly net: string;
}

function Month({ month, lines, costs }: MonthLines) {
  const title = formatMonth(month);
  return (
    <Section title={title} hint={lines.length > 0 && <Invoiced month={month} lines={lines} />}>
      {lines.length > 0 && (
        <Table caption={`Revenue of ${title}`} columns={['Product', 'Used', 'Revenue', 'In the ledger']}>
          {accountsOf(lines).map((account) => (
            <AccountRows key={`${account.account} ${account.currency}`} account={account} month={month} />
          ))}
        </Table>
      )}
      <Costs month={month} costs={costs} />
    </Section>
  );
}

function Invoiced({ month, lines }: { month: string; lines: readonly RevenueWire[] }) {
  const text = `${totalsOf(lines).join(', ')} on invoices`;
  const of = { cause_kind: 'invoice', month };
  return (
    <EntriesLink of={of} label={`${text}: entries of ${formatMonth(month)}`}>
      {text}
    </EntriesLink>
  );
}

function AccountRows({
  account: { account, currency, lines, net },
  month,
}: {
  account: Account;
  month: string;
}) {
  const text = formatPrice(net, currency);
  return lines.map((line, index) => (
    <tr key={line.title}>
      <Cell className="font-[600]">{line.title}</Cell>
      <Cell className="text-soft tabular-nums">{formatHours(line.seconds)}</Cell>
      <Cell>
        <EntriesLink
          of={{ account, month }}
          label={`${line.title} ${formatMinor(line.net_minor, currency)}: entries of ${account}, ${formatMonth(month)}`}
        >
          {formatMinor(line.net_minor, currency)}
        </EntriesLink>
      </Cell>
      {index === 0 && (
        <td rowSpan={lines.length} className="border-l border-line px-4 py-3 align-top">
          <EntriesLink
            of={{ account, month }}
            label={`${text}: entries of ${account}, ${formatMonth(month)}`}
          >
            {text}
          </EntriesLink>
          <span className="block font-mono text-sm text-soft">{account}</span>
        </td>
      )}
    </tr>
  ));
}

function accountsOf(lines: readonly RevenueWire[]): Account[] {
  const groups = Map.groupBy(lines, ({ account, currency }) => `${account} ${currency}`);
  return [...groups.values()].flatMap((ofIt) => {
    const [first] = ofIt;
    if (!first) return [];
    return [
      {
        account: first.account,
        currency: first.currency,
        lines: ofIt,
        net: sumExact(ofIt.map(({ net }) => net)),
      },
    ];
  });
}

function totalsOf(lines: readonly RevenueWire[]): string[] {
  const currencies = Map.groupBy(lines, ({ currency }) => currency);
  return [...currencies].map(([currency, ofIt]) =>
    formatMinor(
      ofIt.reduce((sum, { net_minor: net }) => sum + net, 0),
      currency,
    ),
  );
}
