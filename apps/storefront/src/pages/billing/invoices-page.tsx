import { useQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { ReceiptText } from 'lucide-react';
import type { InvoiceWire } from '#libs/contracts';
import { invoicesQuery } from '../../api/billing.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Pager } from '../../components/pager.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { Cell, Table } from '../../components/table.tsx';
import { formatDay, formatMinor } from '../../format.ts';
import { BillingFrame } from './billing-frame.tsx';
import { InvoiceStatus } from './invoice-status.tsx';

export function InvoicesPage() {
  const { page = 1 } = useSearch({ from: '/billing/invoices' });
  const { data, error, isPending, refetch } = useQuery(invoicesQuery(page));
  return (
    <BillingFrame title="Invoices" lead="One for each month, and earlier when much has been used.">
      {error && <ErrorPanel error={error} retry={refetch} title="Your invoices could not be loaded" />}
      {isPending && <Skeleton className="h-60" />}
      {data?.invoices.length === 0 && (
        <EmptyState icon={ReceiptText} title="No invoices yet">
          The first one comes after the end of the month in which you used a server.
        </EmptyState>
      )}
      {data && data.invoices.length > 0 && (
        <Table caption="Invoices" columns={['Number', 'Issued', 'For', 'Total', 'Open', 'Status']}>
          {data.invoices.map((invoice) => (
            <InvoiceRow key={invoice.id} invoice={invoice} />
          ))}
        </Table>
      )}
      {data && <Pager pagination={data.pagination} what="invoices" />}
    </BillingFrame>
  );
}

function InvoiceRow({ invoice }: { invoice: InvoiceWire }) {
  const { id, number, issued, period, total_minor: total, open_minor: open, currency, status } = invoice;
  return (
    <tr>
      <Cell>
        <Link
          to="/billing/invoices/$invoiceId"
          params={{ invoiceId: id }}
          className="font-[600] whitespace-nowrap underline decoration-line-strong underline-offset-4"
        >
          {number}
        </Link>
      </Cell>
      <Cell className="whitespace-nowrap">{formatDay(issued)}</Cell>
      <Cell className="whitespace-nowrap text-soft">{periodOf(period)}</Cell>
      <Cell className="tabular-nums">{formatMinor(total, currency)}</Cell>
      <Cell className="tabular-nums">{open > 0 ? formatMinor(open, currency) : '–'}</Cell>
      <Cell>
        <InvoiceStatus status={status} />
      </Cell>
    </tr>
  );
}

/** `Nov 1, 2026 – Nov 30, 2026`: an end at midnight belongs to the day before. */
export function periodOf({ from, until }: InvoiceWire['period']): string {
  const last = new Date(new Date(until).getTime() - 1).toISOString();
  return `${formatDay(from)} – ${formatDay(last)}`;
}
