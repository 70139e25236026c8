import { useQuery } from '@tanstack/react-query';
import { Link, useParams, useSearch } from '@tanstack/react-router';
import { ArrowLeft } from 'lucide-react';
import { invoiceLinesQuery, invoiceQuery } from '../../api/billing.ts';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Page } from '../../components/page.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { InvoiceActions, InvoiceBody } from './invoice-body.tsx';
import { InvoiceLines } from './invoice-lines.tsx';
import { periodOf } from './invoices-page.tsx';

export function InvoicePage() {
  const { invoiceId } = useParams({ from: '/billing/invoices/$invoiceId' });
  const { page = 1 } = useSearch({ from: '/billing/invoices/$invoiceId' });
  const { data: invoice, error, refetch } = useQuery(invoiceQuery(invoiceId));
  const lines = useQuery(invoiceLinesQuery(invoiceId, page));
  return (
    <Page
      title={invoice ? `Invoice ${invoice.number}` : 'Invoice'}
      lead={invoice && periodOf(invoice.period)}
      actions={invoice && <InvoiceActions invoice={invoice} />}
      above={
        <Link
          to="/billing/invoices"
          className="mb-6 inline-flex items-center gap-1.5 text-soft hover:text-ink"
        >
          <ArrowLeft aria-hidden="true" className="size-4" /> Invoices
        </Link>
      }
    >
      {error && <ErrorPanel error={error} retry={refetch} title="The invoice could not be loaded" />}
      {!invoice && !error && <Skeleton className="h-80" />}
      {invoice && (
        <InvoiceBody invoice={invoice}>
          <InvoiceLines lines={lines} currency={invoice.currency} />
        </InvoiceBody>
      )}
    </Page>
  );
}
