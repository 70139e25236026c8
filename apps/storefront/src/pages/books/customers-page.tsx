import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { Users } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import type { CustomerWire } from '#libs/contracts';
import { customersQuery } from '../../api/books.ts';
import { Button } from '../../components/button.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Pager } from '../../components/pager.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { Cell, Table } from '../../components/table.tsx';
import { TextField } from '../../components/text-field.tsx';
import { formatMinor } from '../../format.ts';
import { OperatorFrame } from '../operator/operator-frame.tsx';
import { EntriesLink } from './entries-link.tsx';
import { GrantCreditDialog } from './grant-credit-dialog.tsx';

const TIER = { new: 'new', paid_once: 'paid once', trusted: 'trusted' } as const;

export function CustomersPage() {
  const { search, page = 1 } = useSearch({ from: '/operator/customers' });
  const { data, error, isPending, refetch } = useQuery(customersQuery({ search, page }));
  const [giving, setGiving] = useState<CustomerWire | null>(null);
  return (
    <OperatorFrame area="Books" title="Customers" lead="Accounts that have books; who owes most comes first.">
      <SearchForm key={search} searched={search ?? ''} />
      {error && <ErrorPanel error={error} retry={refetch} title="The customers could not be loaded" />}
      {isPending && <Skeleton className="h-60" />}
      {data?.customers.length === 0 && <EmptyState icon={Users} title="No customer found" />}
      {data && data.customers.length > 0 && (
        <Table
          caption="Customers"
          columns={['Account', 'Trust', 'Owed', 'Overdue', 'Credit', 'In dispute', 'Invoices', '']}
        >
          {data.customers.map((customer) => (
            <CustomerRow key={customer.id} customer={customer} give={() => setGiving(customer)} />
          ))}
        </Table>
      )}
      {data && <Pager pagination={data.meta.pagination} what="customers" />}
      {giving && <GrantCreditDialog customer={giving} close={() => setGiving(null)} />}
    </OperatorFrame>
  );
}

function CustomerRow({ customer, give }: { customer: CustomerWire; give: () => void }) {
  const { id, email, name, currency } = customer;
  const figure = (account: string, amountMinor: number, what: string) => (
    <EntriesLink
      of={{ account, customer_id: id }}
      label={`${what} ${formatMinor(amountMinor, currency)}: entries of ${email}`}
    >
      {formatMinor(amountMinor, currency)}
    </EntriesLink>
  );
  return (
    <tr>
      <Cell>
        <Link
          to="/operator/customers/$customerId"
          params={{ customerId: id }}
          className="font-[600] underline decoration-line-strong underline-offset-4"
        >
          {email}
        </Link>
        {name && <span className="block text-sm text-soft">{name}</span>}
      </Cell>
      <Cell className="whitespace-nowrap text-soft">{TIER[customer.tier]}</Cell>
      <Cell>{figure('receivable', customer.open_minor, 'Owed')}</Cell>
      <Cell className={customer.overdue_minor > 0 ? 'font-medium text-bad' : ''}>
        {figure('receivable', customer.overdue_minor, 'Overdue')}
      </Cell>
      <Cell>{figure('customer_credit', customer.credit_minor, 'Credit')}</Cell>
      <Cell>{figure('disputed', customer.disputed_minor, 'In dispute')}</Cell>
      <Cell>
        <Link
          to="/operator/receivables"
          search={{ customer: id }}
          hash="invoices"
          className="underline decoration-line-strong underline-offset-4"
          aria-label={`Invoices of ${email}`}
        >
          Invoices
        </Link>
      </Cell>
      <Cell className="text-right">
        <Button look="secondary" size="small" aria-label={`Give credit to ${email}`} onClick={give}>
          Give credit
        </Button>
      </Cell>
    </tr>
  );
}

function SearchForm({ searched }: { searched: string }) {
  const navigate = useNavigate();
  const [text, setText] = useState(searched);
  function submit(event: FormEvent): void {
    event.preventDefault();
    void navigate({ to: '/operator/customers', search: text.trim() ? { search: text.trim() } : {} });
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: a form of search is a landmark by its role
    <form role="search" onSubmit={submit} className="mb-6 max-w-md">
      <TextField
        label="Find by e-mail or name"
        name="search"
        value={text}
        onValueChange={setText}
        autoComplete="off"
        maxLength={255}
        trailing={
          <Button type="submit" look="secondary">
            Find
          </Button>
        }
      />
    </form>
  );
}
