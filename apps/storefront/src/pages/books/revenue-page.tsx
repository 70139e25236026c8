import { useQuery } from '@tanstack/react-query';
import { ChartColumn } from 'lucide-react';
import type { RevenueWire } from '#libs/contracts';
import { revenueQuery } from '../../api/books.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Section } from '../../components/section.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { Cell, Table } from '../../components/table.tsx';
import { formatHours, formatMinor, formatMonth } from '../../format.ts';
import { OperatorFrame } from '../operator/operator-frame.tsx';
import { EntriesLink } from './entries-link.tsx';

export function RevenuePage() {
  const { data: revenue, error, isPending, refetch } = useQuery(revenueQuery);
  const months = Map.groupBy(revenue ?? [], ({ month }) => month);
  return (
    <OperatorFrame
      area="Books"
      title="Revenue"
      lead="Invoiced, before tax, by the month of use. Each figure leads to its entries in the ledger."
    >
      {error && <ErrorPanel error={error} retry={refetch} title="The revenue could not be loaded" />}
      {isPending && <Skeleton className="h-60" />}
      {revenue?.length === 0 && (
        <EmptyState icon={ChartColumn} title="Nothing invoiced yet">
          A month stands here once its use is invoiced.
        </EmptyState>
      )}
      <div className="grid grid-cols-[minmax(0,1fr)] gap-10">
        {[...months].map(([month, lines]) => (
          <Month key={month} month={month} lines={lines} />
        ))}
      </div>
    </OperatorFrame>
  );
}

function Month({ month, lines }: { month: string; lines: readonly RevenueWire[] }) {
  const currencies = Map.groupBy(lines, ({ currency }) => currency);
  const totals = [...currencies].map(([currency, ofIt]) =>
    formatMinor(
      ofIt.reduce((sum, { net_minor: net }) => sum + net, 0),
      currency,
    ),
  );
  const title = formatMonth(month);
  return (
    <Section title={title} hint={`${totals.join(', ')} in all`}>
      <Table caption={`Revenue of ${title}`} columns={['Product', 'Account', 'Used', 'Revenue']}>
        {lines.map((line) => (
          <tr key={`${line.title} ${line.currency}`}>
            <Cell className="font-[600]">{line.title}</Cell>
            <Cell className="font-mono text-sm">
              <EntriesLink
                of={{ account: line.account, month }}
                label={`Entries of ${line.account}, ${title}`}
              >
                {line.account}
              </EntriesLink>
            </Cell>
            <Cell className="text-soft tabular-nums">{formatHours(line.seconds)}</Cell>
            <Cell>
              <EntriesLink
                of={{ account: line.account, month }}
                label={`${formatMinor(line.net_minor, line.currency)}: entries of ${line.title}, ${title}`}
              >
                {formatMinor(line.net_minor, line.currency)}
              </EntriesLink>
            </Cell>
          </tr>
        ))}
      </Table>
    </Section>
  );
}
