import { useQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { ShieldCheck } from 'lucide-react';
import type { ArrearsWire, InvoiceWire, ReceivableWire } from '#libs/contracts';
import { arrearsQuery, bookedInvoicesQuery, receivablesQuery } from '../../api/books.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Pager } from '../../components/pager.tsx';
import { Section } from '../../components/section.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { Cell, Table } from '../../components/table.tsx';
import { formatCount, formatDay, formatMinor } from '../../format.ts';
import { InvoiceStatus } from '../billing/invoice-status.tsx';
import { OperatorFrame } from '../operator/operator-frame.tsx';
import { EntriesLink } from './entries-link.tsx';

const AGE: Readonly<Record<ReceivableWire['age'], string>> = {
  not_due: 'Not due yet',
  up_to_30_days: 'Due for up to 30 days',
  up_to_60_days: '31 to 60 days',
  up_to_90_days: '61 to 90 days',
  older: 'Longer than 90 days',
};
const STEP: Readonly<Record<NonNullable<ArrearsWire['step']>, string>> = {
  unpaid: 'Payment failed',
  first_warning: 'Warned',
  last_warning: 'Warned for the last time',
  suspension: 'Suspended',
  soft_deletion: 'Servers removed',
  purge: 'Purged',
};
const LINK = 'font-[600] underline decoration-line-strong underline-offset-4';

export function ReceivablesPage() {
  const receivables = useQuery(receivablesQuery);
  const arrears = useQuery(arrearsQuery);
  const error = receivables.error ?? arrears.error;
  return (
    <OperatorFrame area="Books" title="Receivables" lead="What customers owe, and who does not pay.">
      {error && <ErrorPanel error={error} title="The receivables could not be loaded" />}
      <div className="grid grid-cols-[minmax(0,1fr)] gap-12">
        <Section
          title="By age"
          hint={
            <EntriesLink of={{ account: 'receivable' }} label="All entries of receivable">
              All entries of receivable
            </EntriesLink>
          }
        >
          {receivables.isPending && <Skeleton className="h-40" />}
          {receivables.data && <Ages receivables={receivables.data} />}
        </Section>
        <Section title="Failed payments" hint="Accounts on the way from the first failed payment to the end.">
          {arrears.isPending && <Skeleton className="h-24" />}
          {arrears.data && <ArrearsTable arrears={arrears.data} />}
        </Section>
        <OpenInvoices />
      </div>
    </OperatorFrame>
  );
}

function Ages({ receivables }: { receivables: readonly ReceivableWire[] }) {
  if (receivables.length === 0) return <EmptyState icon={ShieldCheck} title="Everything is paid" />;
  return (
    <Table caption="Receivables by age" columns={['Age', 'Invoices', 'Open']}>
      {receivables.map(({ age, currency, invoices, open_minor: open }) => (
        <tr key={`${age} ${currency}`}>
          <Cell>
            <Link to="/operator/receivables" search={{ age }} hash="invoices" className={LINK}>
              {AGE[age]}
            </Link>
          </Cell>
          <Cell className="tabular-nums">{formatCount(invoices, 'invoice')}</Cell>
          <Cell>
            <Link
              to="/operator/receivables"
              search={{ age }}
              hash="invoices"
              aria-label={`${formatMinor(open, currency)}: invoices, ${AGE[age]}`}
              className="tabular-nums underline decoration-line-strong underline-offset-4"
            >
              {formatMinor(open, currency)}
            </Link>
          </Cell>
        </tr>
      ))}
    </Table>
  );
}

function ArrearsTable({ arrears }: { arrears: readonly ArrearsWire[] }) {
  if (arrears.length === 0) return <EmptyState icon={ShieldCheck} title="No payment has failed" />;
  return (
    <Table
      caption="Failed payments"
      columns={['Account', 'Since', 'Step', 'Next step', 'Tried again', 'Overdue']}
    >
      {arrears.map((one) => (
        <tr key={one.id}>
          <Cell>
            <Link
              to="/operator/customers/$customerId"
              params={{ customerId: one.account.id }}
              className={LINK}
            >
              {one.account.email}
            </Link>
          </Cell>
          <Cell className="whitespace-nowrap text-soft">{formatDay(one.since)}</Cell>
          <Cell className="whitespace-nowrap">{one.step ? STEP[one.step] : 'Payment failed'}</Cell>
          <Cell className="whitespace-nowrap text-soft">{one.next ? formatDay(one.next) : '–'}</Cell>
          <Cell className="whitespace-nowrap text-soft">
            {one.is_hard ? 'not with this card' : one.retry ? formatDay(one.retry) : '–'}
          </Cell>
          <Cell>
            <EntriesLink
              of={{ account: 'receivable', customer_id: one.account.id }}
              label={`${formatMinor(one.overdue_minor, one.currency)}: entries of ${one.account.email}`}
            >
              {formatMinor(one.overdue_minor, one.currency)}
            </EntriesLink>
          </Cell>
        </tr>
      ))}
    </Table>
  );
}

function OpenInvoices() {
  const { age, customer, page = 1 } = useSearch({ from: '/operator/receivables' });
  const asked = customer === undefined ? { status: 'open', age } : { customer_id: customer };
  const { data, error, isPending, refetch } = useQuery(bookedInvoicesQuery({ ...asked, page }));
  const title = customer === undefined ? 'Open invoices' : 'Invoices of the customer';
  return (
    <div id="invoices">
      <Section
        title={title}
        hint={age && AGE[age]}
        actions={
          (age || customer) && (
            <Link to="/operator/receivables" className={LINK}>
              All open ones
            </Link>
          )
        }
      >
        {error && <ErrorPanel error={error} retry={refetch} title="The invoices could not be loaded" />}
        {isPending && <Skeleton className="h-40" />}
        {data?.invoices.length === 0 && <EmptyState icon={ShieldCheck} title="None" />}
        {data && data.invoices.length > 0 && <InvoiceTable invoices={data.invoices} />}
        {data && <Pager pagination={data.meta.pagination} what="invoices" />}
      </Section>
    </div>
  );
}

function InvoiceTable({ invoices }: { invoices: readonly InvoiceWire[] }) {
  return (
    <Table caption="Invoices" columns={['Number', 'Issued', 'Due', 'Total', 'Open', 'Status']}>
      {invoices.map((invoice) => (
        <tr key={invoice.id}>
          <Cell>
            <Link
              to="/operator/invoices/$invoiceId"
              params={{ invoiceId: invoice.id }}
              className={`${LINK} whitespace-nowrap`}
            >
              {invoice.number}
            </Link>
          </Cell>
          <Cell className="whitespace-nowrap text-soft">{formatDay(invoice.issued)}</Cell>
          <Cell className="whitespace-nowrap text-soft">{formatDay(invoice.due)}</Cell>
          <Cell className="tabular-nums">{formatMinor(invoice.total_minor, invoice.currency)}</Cell>
          <Cell>
            <EntriesLink
              of={{ cause_kind: 'invoice', cause_id: String(invoice.id) }}
              label={`${formatMinor(invoice.open_minor, invoice.currency)}: entries of ${invoice.number}`}
            >
              {formatMinor(invoice.open_minor, invoice.currency)}
            </EntriesLink>
          </Cell>
          <Cell>
            <InvoiceStatus status={invoice.status} />
          </Cell>
        </tr>
      ))}
    </Table>
  );
}
