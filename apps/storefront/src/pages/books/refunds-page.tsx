import { useQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { Undo2 } from 'lucide-react';
import { creditNotesQuery, entriesQuery } from '../../api/books.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Pager } from '../../components/pager.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { Cell, Table } from '../../components/table.tsx';
import { formatDay, formatMinor } from '../../format.ts';
import { OperatorFrame } from '../operator/operator-frame.tsx';
import { EntriesLink } from './entries-link.tsx';

export function RefundsPage() {
  const { page = 1 } = useSearch({ from: '/operator/refunds' });
  const { data, error, isPending, refetch } = useQuery(creditNotesQuery(page));
  const { data: given } = useQuery(entriesQuery({ account: 'refunds' }));
  const currency = given?.sums[0]?.currency ?? 'eur';
  return (
    <OperatorFrame
      area="Books"
      title="Refunds"
      lead={
        given?.sums[0] && (
          <>
            In all{' '}
            <EntriesLink
              of={{ account: 'refunds' }}
              label={`${formatMinor(Number(given.sums[0].amount), currency)}: entries of refunds`}
            >
              {formatMinor(Number(given.sums[0].amount), currency)}
            </EntriesLink>{' '}
            of revenue were given back, before tax.
          </>
        )
      }
    >
      {error && <ErrorPanel error={error} retry={refetch} title="The refunds could not be loaded" />}
      {isPending && <Skeleton className="h-40" />}
      {data?.credit_notes.length === 0 && (
        <EmptyState icon={Undo2} title="Nothing was given back">
          Open a customer's invoice to give back a part of it.
        </EmptyState>
      )}
      {data && data.credit_notes.length > 0 && (
        <Table caption="Refunds" columns={['Number', 'Issued', 'Of invoice', 'Reason', 'To', 'Total']}>
          {data.credit_notes.map((note) => (
            <tr key={note.id}>
              <Cell className="font-[600] whitespace-nowrap">{note.number}</Cell>
              <Cell className="whitespace-nowrap text-soft">{formatDay(note.issued)}</Cell>
              <Cell>
                <Link
                  to="/operator/invoices/$invoiceId"
                  params={{ invoiceId: note.invoice_id }}
                  className="underline decoration-line-strong underline-offset-4"
                  aria-label={`Invoice of ${note.number}`}
                >
                  Invoice
                </Link>
              </Cell>
              <Cell>{note.reason}</Cell>
              <Cell className="whitespace-nowrap">
                {note.refund_minor > 0 ? note.refund_to : 'nothing was paid yet'}
              </Cell>
              <Cell>
                <EntriesLink
                  of={{ cause_kind: 'credit_note', cause_id: String(note.id) }}
                  label={`${formatMinor(note.total_minor, currency)}: entries of ${note.number}`}
                >
                  {formatMinor(note.total_minor, currency)}
                </EntriesLink>
              </Cell>
            </tr>
          ))}
        </Table>
      )}
      {data && <Pager pagination={data.meta.pagination} what="refunds" />}
    </OperatorFrame>
  );
}
