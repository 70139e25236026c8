import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { CreditCard, Plus } from 'lucide-react';
import { useState } from 'react';
import type { PaymentMethodWire } from '#libs/contracts';
import { accountQuery, deletePaymentMethod, paymentMethodsQuery } from '../../api/account.ts';
import { leaveForCardPage } from '../../card-setup.ts';
import { Button } from '../../components/button.tsx';
import { CardLabel } from '../../components/card-label.tsx';
import { ConfirmDialog } from '../../components/dialogs.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Section } from '../../components/section.tsx';
import { Skeleton } from '../../components/skeleton.tsx';

export function CardsSection() {
  const { data: cards, error, isPending, refetch } = useQuery(paymentMethodsQuery);
  const leave = useMutation({ mutationFn: () => leaveForCardPage('/account') });
  const add = (
    <Button look="secondary" busy={leave.isPending} onClick={() => leave.mutate()}>
      <Plus aria-hidden="true" className="size-4" /> Add a card
    </Button>
  );
  return (
    <Section title="Cards" actions={cards && cards.length > 0 && add}>
      {leave.error && <ErrorPanel error={leave.error} title="The card page could not be opened" />}
      {error && <ErrorPanel error={error} retry={refetch} title="Your cards could not be loaded" />}
      {isPending && <Skeleton className="h-20" />}
      {cards?.length === 0 && (
        <EmptyState icon={CreditCard} title="No card on file" action={add}>
          You enter it on the page of our payment provider; we never see its number.
        </EmptyState>
      )}
      {cards && cards.length > 0 && (
        <ul className="divide-y divide-line rounded-card border border-line bg-surface shadow-card">
          {cards.map((card) => (
            <CardRow key={card.id} card={card} />
          ))}
        </ul>
      )}
    </Section>
  );
}

function CardRow({ card }: { card: PaymentMethodWire }) {
  const [asking, setAsking] = useState(false);
  const queryClient = useQueryClient();
  const remove = useMutation({
    mutationFn: () => deletePaymentMethod(card.id),
    onSuccess: async () => {
      setAsking(false);
      await queryClient.invalidateQueries(paymentMethodsQuery);
      await queryClient.invalidateQueries(accountQuery);
    },
  });
  return (
    <li className="flex flex-wrap items-center justify-between gap-4 p-4 sm:px-5">
      <CardLabel card={card} />
      <span className="flex items-center gap-3">
        {card.is_default && <span className="text-sm font-medium text-good">In use</span>}
        <Button
          look="secondary"
          size="small"
          aria-label={`Remove the card ending in ${card.last4}`}
          onClick={() => setAsking(true)}
        >
          Remove
        </Button>
      </span>
      <ConfirmDialog
        open={asking}
        onOpenChange={setAsking}
        title={`Remove the card ending in ${card.last4}?`}
        confirm="Remove"
        look="danger"
        busy={remove.isPending}
        onConfirm={() => remove.mutate()}
      >
        <p>It is not used for further orders.</p>
        {remove.error && <ErrorPanel error={remove.error} />}
      </ConfirmDialog>
    </li>
  );
}
