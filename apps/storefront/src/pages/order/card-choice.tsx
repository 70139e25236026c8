import { useMutation, useQuery } from '@tanstack/react-query';
import { CreditCard, Lock } from 'lucide-react';
import { accountQuery } from '../../api/account.ts';
import { leaveForCardPage } from '../../card-setup.ts';
import { Button } from '../../components/button.tsx';
import { CardLabel } from '../../components/card-label.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Panel, Section } from '../../components/section.tsx';
import { Skeleton } from '../../components/skeleton.tsx';

/** The card that will be used, or the way to add one. */
export function CardChoice({ required }: { required: boolean }) {
  const { data: account } = useQuery(accountQuery);
  const leave = useMutation({ mutationFn: () => leaveForCardPage('/order/review') });
  if (!account) return <Skeleton className="h-32" />;
  return (
    <Section title="Your card">
      <Panel>
        {leave.error && <ErrorPanel error={leave.error} title="The card page could not be opened" />}
        {account.card ? (
          <div className="flex flex-wrap items-center justify-between gap-4">
            <CardLabel card={account.card} />
            <Button look="secondary" size="small" busy={leave.isPending} onClick={() => leave.mutate()}>
              Use another card
            </Button>
          </div>
        ) : (
          <div className="grid justify-items-start gap-4">
            <p className="text-soft">
              {required
                ? 'A card is needed for this order.'
                : 'No card is needed for this order; you can add one.'}{' '}
              You enter it on the page of our payment provider, and come back here.
            </p>
            <Button size="large" busy={leave.isPending} onClick={() => leave.mutate()}>
              <CreditCard aria-hidden="true" className="size-5" /> Add a card
            </Button>
            <p className="flex items-center gap-2 text-sm text-soft">
              <Lock aria-hidden="true" className="size-4" /> We never see its number.
            </p>
          </div>
        )}
      </Panel>
    </Section>
  );
}
