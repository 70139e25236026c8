import { useQuery } from '@tanstack/react-query';
import { Link, useParams, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { bookedInvoiceQuery, bookedLinesQuery } from '../../api/books.ts';
import { Button } from '../../components/button.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { InvoiceBody } from '../billing/invoice-body.tsx';
import { InvoiceLines } from '../billing/invoice-lines.tsx';
import { periodOf } from '../billing/invoices-page.tsx';
import { OperatorFrame } from '../operator/operator-frame.tsx';
import { EntriesLink } from './entries-link.tsx';
import { GiveBackDialog } from './give-back-dialog.tsx';
import { WriteOffDialog } from './write-off-dialog.tsx';

/** A customer's invoice as the operator sees it: its entries, and the way to give a part of it back. */
export function BookedInvoicePage() {
  const { invoiceId } = useParams({ from: '/operator/invoices/$invoiceId' });
  const { page = 1 } = useSearch({ from: '/operator/invoices/$invoiceId' });
  const { data: invoice, error, refetch } = useQuery(bookedInvoiceQuery(invoiceId));
  const lines = useQuery(bookedLinesQuery(invoiceId, page));
  const [dialog, setDialog] = useState<'give_back' | 'write_off' | null>(null);
  const close = () => setDialog(null);
  return (
    <OperatorFrame
      area="Books"
      title={invoice ? `Invoice ${invoice.number}` : 'Invoice'}
      lead={
        invoice && (
          <>
            {periodOf(invoice.period)} ·{' '}
            <Link
              to="/operator/customers/$customerId"
              params={{ customerId: invoice.account_id }}
              className="underline decoration-line-strong underline-offset-4"
            >
              customer
            </Link>{' '}
            ·{' '}
            <EntriesLink
              of={{ cause_kind: 'invoice', cause_id: String(invoice.id) }}
              label={`entries of invoice ${invoice.number}`}
            >
              entries
            </EntriesLink>
          </>
        )
      }
      actions={
        invoice && (
          <div className="flex flex-wrap gap-2">
            <Button look="secondary" onClick={() => setDialog('give_back')}>
              Give back
            </Button>
            {invoice.open_minor > 0 && (
              <Button look="secondary" onClick={() => setDialog('write_off')}>
                Write off
              </Button>
            )}
          </div>
        )
      }
    >
      {error && <ErrorPanel error={error} retry={refetch} title="The invoice could not be loaded" />}
      {!invoice && !error && <Skeleton className="h-80" />}
      {invoice && (
        <InvoiceBody invoice={invoice}>
          <InvoiceLines lines={lines} currency={invoice.currency} />
        </InvoiceBody>
      )}
      {invoice && dialog === 'give_back' && <GiveBackDialog invoice={invoice} close={close} />}
      {invoice && dialog === 'write_off' && <WriteOffDialog invoice={invoice} close={close} />}
    </OperatorFrame>
  );
}
