import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import type { CustomerDetailsWire } from '#libs/contracts';
import { customerQuery } from '../../api/customers.ts';
import { Button } from '../../components/button.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Figure } from '../../components/figure.tsx';
import { Panel, Section } from '../../components/section.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { formatDay, formatMinor } from '../../format.ts';
import { OperatorFrame } from '../operator/operator-frame.tsx';
import { CustomerForm } from './customer-form.tsx';
import { EntriesLink } from './entries-link.tsx';
import { GrantCreditDialog } from './grant-credit-dialog.tsx';
import { StandingSection } from './standing-section.tsx';

/** One account: its balances, how it pays, and what the operator does about it. */
export function CustomerPage() {
  const { customerId } = useParams({ from: '/operator/customers/$customerId' });
  const { data: customer, error, refetch } = useQuery(customerQuery(customerId));
  const [giving, setGiving] = useState(false);
  return (
    <OperatorFrame
      area="Books"
      title={customer?.email ?? 'Customer'}
      lead={customer?.name}
      actions={
        customer && (
          <Button look="secondary" onClick={() => setGiving(true)}>
            Give credit
          </Button>
        )
      }
    >
      {error && <ErrorPanel error={error} retry={refetch} title="The customer could not be loaded" />}
      {!customer && !error && <Skeleton className="h-80" />}
      {customer && (
        <div className="grid grid-cols-[minmax(0,1fr)] gap-12">
          <Balances customer={customer} />
          <Section title="Trust and paying" hint="The next invoice follows what stands here.">
            <Panel className="max-w-2xl">
              <CustomerForm key={customer.id} customer={customer} />
            </Panel>
          </Section>
          <StandingSection customer={customer} />
        </div>
      )}
      {customer && giving && <GrantCreditDialog customer={customer} close={() => setGiving(false)} />}
    </OperatorFrame>
  );
}

function Balances({ customer }: { customer: CustomerDetailsWire }) {
  const { id, email, currency } = customer;
  const figure = (account: string, amountMinor: number, what: string) => (
    <EntriesLink
      of={{ account, customer_id: id }}
      label={`${what} ${formatMinor(amountMinor, currency)}: entries of ${email}`}
    >
      {formatMinor(amountMinor, currency)}
    </EntriesLink>
  );
  const invoices = (label: string, text: string) => (
    <Link
      to="/operator/receivables"
      search={{ customer: id }}
      hash="invoices"
      aria-label={`${label} ${text}: invoices of ${email}`}
      className="underline decoration-line-strong underline-offset-4"
    >
      {text}
    </Link>
  );
  const { overdue_since: overdueSince } = customer;
  return (
    <dl className="grid gap-6 sm:grid-cols-3">
      <Figure label="Owed on invoices">{figure('receivable', customer.open_minor, 'Owed')}</Figure>
      <Figure label="Overdue" hint={overdueSince && `since ${formatDay(overdueSince)}`}>
        {invoices('Overdue', formatMinor(customer.overdue_minor, currency))}
      </Figure>
      <Figure label="Used, not invoiced yet" hint={`since ${formatDay(customer.billed_until)}, before tax`}>
        {formatMinor(customer.unbilled_minor, currency)}
      </Figure>
      <Figure label="Credit">{figure('customer_credit', customer.credit_minor, 'Credit')}</Figure>
      <Figure label="In dispute">{figure('disputed', customer.disputed_minor, 'In dispute')}</Figure>
      <Figure label="Refunds on their way">
        {figure('refunds_payable', customer.refunds_minor, 'Refunds on their way')}
      </Figure>
    </dl>
  );
}
