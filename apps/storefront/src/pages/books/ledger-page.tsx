import { useQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { BookOpen } from 'lucide-react';
import type { LedgerEntryWire, LedgerSumWire } from '#libs/contracts';
import { entriesQuery } from '../../api/books.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Pager } from '../../components/pager.tsx';
import { Section } from '../../components/section.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { Cell, Table } from '../../components/table.tsx';
import { Time } from '../../components/time.tsx';
import { formatCount } from '../../format.ts';
import { OperatorFrame } from '../operator/operator-frame.tsx';
import { formatEntry } from './entry-amount.ts';

const LINK = 'underline decoration-line-strong underline-offset-4';

/** Entries of the ledger: all, or those that a figure comes from, with what they sum to. */
export function LedgerPage() {
  const { page = 1, ...filter } = useSearch({ from: '/operator/ledger' });
  const { data, error, isPending, refetch } = useQuery(entriesQuery({ ...filter, page }));
  const asked = Object.entries(filter).filter(([, value]) => value !== undefined);
  return (
    <OperatorFrame
      area="Books"
      title="Ledger"
      lead="Double entry: debits above zero, credits below. Nothing in it is ever changed."
    >
      {asked.length > 0 && (
        <p className="mb-6 flex flex-wrap items-center gap-x-4 gap-y-2">
          {asked.map(([name, value]) => (
            <span key={name} className="rounded-full bg-sunken px-3 py-1 text-sm">
              {name.replaceAll('_', ' ')}: <span className="font-mono">{String(value)}</span>
            </span>
          ))}
          <Link to="/operator/ledger" className={LINK}>
            All entries
          </Link>
        </p>
      )}
      {error && <ErrorPanel error={error} retry={refetch} title="The ledger could not be loaded" />}
      {isPending && <Skeleton className="h-60" />}
      {data?.entries.length === 0 && <EmptyState icon={BookOpen} title="No entries" />}
      {data && data.entries.length > 0 && (
        <div className="grid grid-cols-[minmax(0,1fr)] gap-10">
          <Section title="By account">
            <Sums sums={data.sums} />
          </Section>
          <Section title="Entries" hint="The newest first.">
            <Entries entries={data.entries} />
            <Pager pagination={data.meta.pagination} what="entries" />
          </Section>
        </div>
      )}
    </OperatorFrame>
  );
}

function Sums({ sums }: { sums: readonly LedgerSumWire[] }) {
  return (
    <Table caption="Sums by account" columns={['Account', 'Entries', 'Sum']}>
      {sums.map((sum) => (
        <tr key={`${sum.account} ${sum.currency}`}>
          <Cell className="font-mono text-sm">
            <Link to="/operator/ledger" search={{ account: sum.account }} className={LINK}>
              {sum.account}
            </Link>
          </Cell>
          <Cell className="tabular-nums">{formatCount(sum.entries, 'entry', 'entries')}</Cell>
          <Cell className="font-medium tabular-nums">{formatEntry(sum)}</Cell>
        </tr>
      ))}
    </Table>
  );
}

function Entries({ entries }: { entries: readonly LedgerEntryWire[] }) {
  return (
    <Table caption="Entries" columns={['Posted', 'Cause', 'Account', 'Customer', 'Amount']}>
      {entries.map((entry) => (
        <tr key={`${entry.transaction_id}/${entry.line}`}>
          <Cell className="whitespace-nowrap text-soft">
            <Time at={entry.posted} />
          </Cell>
          <Cell className="whitespace-nowrap">
            <Link
              to="/operator/ledger"
              search={{ cause_kind: entry.cause.kind, cause_id: entry.cause.id }}
              className={LINK}
              aria-label={`Entries of ${entry.cause.kind} ${entry.cause.id}`}
            >
              {entry.cause.kind.replaceAll('_', ' ')}
            </Link>
            {entry.cause.kind === 'invoice' && (
              <>
                {' · '}
                <Link
                  to="/operator/invoices/$invoiceId"
                  params={{ invoiceId: Number(entry.cause.id) }}
                  className={LINK}
                >
                  open
                </Link>
              </>
            )}
          </Cell>
          <Cell className="font-mono text-sm whitespace-nowrap">
            {entry.account}
            {entry.detail && <span className="text-soft"> {entry.detail}</span>}
          </Cell>
          <Cell className="text-soft tabular-nums">
            {entry.customer_id !== null && (
              <Link to="/operator/ledger" search={{ customer_id: entry.customer_id }} className={LINK}>
                {entry.customer_id}
              </Link>
            )}
          </Cell>
          <Cell className="font-medium whitespace-nowrap tabular-nums">{formatEntry(entry)}</Cell>
        </tr>
      ))}
    </Table>
  );
}
