import type { UseQueryResult } from '@tanstack/react-query';
import type { InvoiceLineWire, PaginationWire } from '#libs/contracts';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Pager } from '../../components/pager.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { Cell, Table } from '../../components/table.tsx';
import { Time } from '../../components/time.tsx';
import { formatHourly, formatHours, formatMinor } from '../../format.ts';

type Lines = { readonly lines: InvoiceLineWire[]; readonly pagination: PaginationWire };

interface InvoiceLinesProps {
  readonly lines: UseQueryResult<Lines>;
  readonly currency: string;
}

/** The lines of an invoice: which server, what of it, from and until when, for how long, at which price. */
export function InvoiceLines({ lines: { data, error, refetch }, currency }: InvoiceLinesProps) {
  if (error) return <ErrorPanel error={error} retry={refetch} title="The lines could not be loaded" />;
  if (!data) return <Skeleton className="h-60" />;
  const columns = ['Server', 'What', 'From', 'Until', 'Time', 'By the hour', 'Net'];
  return (
    <div>
      <Table caption="Lines of the invoice" columns={columns}>
        {data.lines.map((line) => (
          <tr key={line.line}>
            <Cell className="font-[600] whitespace-nowrap">{line.server?.name}</Cell>
            <Cell className="whitespace-nowrap">{whatOf(line)}</Cell>
            <Cell className="whitespace-nowrap text-soft">
              <Time at={line.from} />
            </Cell>
            <Cell className="whitespace-nowrap text-soft">
              <Time at={line.until} />
            </Cell>
            <Cell className="whitespace-nowrap tabular-nums">{timeOf(line)}</Cell>
            <Cell className="whitespace-nowrap tabular-nums">
              {formatHourly(line.price_hourly, currency)}
            </Cell>
            <Cell className="tabular-nums">{formatMinor(line.net_minor, currency)}</Cell>
          </tr>
        ))}
      </Table>
      <Pager pagination={data.pagination} what="lines" />
    </div>
  );
}

function whatOf({ title, slot, quantity }: InvoiceLineWire): string {
  return [title, slot && `(${slot})`, quantity > 1 && `× ${quantity}`].filter(Boolean).join(' ');
}

/** Above the month's cap less is billed than was used. */
function timeOf({ seconds, billed_seconds: billed }: InvoiceLineWire): string {
  return seconds === billed ? formatHours(seconds) : `${formatHours(seconds)}, ${formatHours(billed)} billed`;
}
