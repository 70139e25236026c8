import { useQuery } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { Gift, Wallet } from 'lucide-react';
import { useState } from 'react';
import type { CreditWire } from '#libs/contracts';
import { balanceQuery, creditsQuery, rechargeQuery } from '../../api/billing.ts';
import { Button } from '../../components/button.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Notice } from '../../components/notice.tsx';
import { Pager } from '../../components/pager.tsx';
import { Panel, Section } from '../../components/section.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { Cell, Table } from '../../components/table.tsx';
import { formatDay, formatMinor } from '../../format.ts';
import { BillingFrame } from './billing-frame.tsx';
import { PayInDialog } from './pay-in-dialog.tsx';
import { RechargeForm } from './recharge-form.tsx';
import { RedeemDialog } from './redeem-dialog.tsx';

const SOURCE: Readonly<Record<CreditWire['source'], string>> = {
  payment: 'Paid in',
  grant: 'Given',
  promotion: 'Code',
  refund: 'Refund',
};

/** A card's payment is confirmed within seconds; one by debit takes days, and is not waited for. */
const LOOKS = 20;
const LOOK_AGAIN_MS = 3000;

function untilConfirmed({ state }: { state: { dataUpdateCount: number } }): number | false {
  return state.dataUpdateCount < LOOKS && LOOK_AGAIN_MS;
}

export function CreditPage() {
  const { page = 1, paid } = useSearch({ from: '/billing/credit' });
  const [dialog, setDialog] = useState<'redeem' | 'pay_in' | null>(null);
  const soon = paid === undefined ? {} : { refetchInterval: untilConfirmed };
  const { data: balance } = useQuery({ ...balanceQuery, ...soon });
  const { data, error, isPending, refetch } = useQuery({ ...creditsQuery(page), ...soon });
  const close = () => setDialog(null);
  return (
    <BillingFrame
      title="Credit"
      lead={
        balance &&
        `You have ${formatMinor(balance.credit_minor, balance.currency)}. Invoices take from it before your card.`
      }
      actions={
        <div className="flex flex-wrap gap-2">
          <Button look="secondary" onClick={() => setDialog('redeem')}>
            <Gift aria-hidden="true" className="size-4" /> Redeem a code
          </Button>
          <Button onClick={() => setDialog('pay_in')}>
            <Wallet aria-hidden="true" className="size-4" /> Pay in
          </Button>
        </div>
      }
    >
      {paid !== undefined && (
        <div className="mb-6">
          <Notice tone="good" title="Thank you">
            Your payment is credited as soon as the payment provider confirms it.
          </Notice>
        </div>
      )}
      {error && <ErrorPanel error={error} retry={refetch} title="Your credit could not be loaded" />}
      {isPending && <Skeleton className="h-40" />}
      {data?.credits.length === 0 && (
        <EmptyState icon={Wallet} title="No credit yet">
          Pay in ahead, or redeem a code that you were given.
        </EmptyState>
      )}
      {data && data.credits.length > 0 && (
        <Table caption="Credit" columns={['From', 'For', 'Date', 'Amount', 'Left', 'Expires']}>
          {data.credits.map((credit) => (
            <tr key={credit.id}>
              <Cell className="font-[600] whitespace-nowrap">{SOURCE[credit.source]}</Cell>
              <Cell>{credit.note}</Cell>
              <Cell className="whitespace-nowrap text-soft">{formatDay(credit.granted)}</Cell>
              <Cell className="tabular-nums">{formatMinor(credit.amount_minor, credit.currency)}</Cell>
              <Cell className="tabular-nums">{formatMinor(credit.remaining_minor, credit.currency)}</Cell>
              <Cell className="whitespace-nowrap text-soft">
                {credit.expires ? formatDay(credit.expires) : 'never'}
              </Cell>
            </tr>
          ))}
        </Table>
      )}
      {data && <Pager pagination={data.pagination} what="credits" />}
      <Recharging />
      {dialog === 'redeem' && <RedeemDialog close={close} />}
      {dialog === 'pay_in' && <PayInDialog close={close} />}
    </BillingFrame>
  );
}

function Recharging() {
  const { data } = useQuery(rechargeQuery);
  if (!data) return null;
  return (
    <div className="mt-12 max-w-2xl">
      <Section
        title="Recharging"
        hint={data.paying === 'prepaid' && 'You pay ahead: without credit nothing new can be ordered.'}
      >
        <Panel>
          <RechargeForm recharge={data.recharge} currency={data.currency} />
        </Panel>
      </Section>
    </div>
  );
}
