import { useMutation, useQuery } from '@tanstack/react-query';
import { Link, Navigate, useNavigate } from '@tanstack/react-router';
import { ClipboardList } from 'lucide-react';
import { useState } from 'react';
import type { AccountWire, ProductWire } from '#libs/contracts';
import { accountQuery } from '../../api/account.ts';
import { quoteQuery } from '../../api/catalog.ts';
import { useOrderable } from '../../api/orderable.ts';
import { Button, buttonClass } from '../../components/button.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Notice } from '../../components/notice.tsx';
import { Page } from '../../components/page.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { asSentence } from '../../format.ts';
import { type OrderDraft, readOrderDraft } from '../../order-draft.ts';
import { UnconfirmedEmail } from '../account/unconfirmed-email.tsx';
import { CardChoice } from './card-choice.tsx';
import { OrderTrail } from './order-trail.tsx';
import { placeOrder } from './place-order.ts';
import { PriceDocket } from './price-docket.tsx';

export function ReviewPage() {
  const [draft] = useState(readOrderDraft);
  const { data: account, isPending } = useQuery(accountQuery);
  const { product, currency, error, retry } = useOrderable(draft?.product);
  if (draft && !isPending && account === null) return <Navigate to="/order/account" replace />;
  return (
    <Page title="Check and pay" above={<OrderTrail at="Pay" />}>
      {!draft && <NothingConfigured />}
      {error && <ErrorPanel error={error} retry={retry} />}
      {draft && product && <Review draft={draft} product={product} currency={currency} />}
      {draft && product === undefined && !error && <Skeleton className="h-64" />}
    </Page>
  );
}

function Review({ draft, product, currency }: { draft: OrderDraft; product: ProductWire; currency: string }) {
  const navigate = useNavigate();
  const quote = useQuery(quoteQuery({ image: draft.product, server_type: draft.serverType }));
  const { data: account } = useQuery(accountQuery);
  const order = useMutation({
    // The draft is read again, because a refusal has given it a new key.
    mutationFn: () => placeOrder(readOrderDraft() ?? draft),
    onSuccess: (orderId) => navigate({ to: '/orders/$orderId', params: { orderId }, replace: true }),
    onError: () => quote.refetch(),
  });
  // That a card is still to be added is no obstacle: its section says so, and takes it.
  const obstacles = quote.data?.problems.filter((problem) => problem.code !== 'no_card') ?? [];
  const cardMissing = Boolean(quote.data?.card_required) && !account?.card;
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-10 lg:grid-cols-[minmax(0,1fr)_21rem] lg:gap-14">
      <div className="grid min-w-0 content-start gap-8">
        {order.error && (
          <ErrorPanel error={order.error} title="The order was not placed, and nothing was charged" />
        )}
        {quote.error && <ErrorPanel error={quote.error} retry={quote.refetch} />}
        {obstacles.map((problem) => (
          <Obstacle key={problem.code} problem={problem} account={account} />
        ))}
        <CardChoice required={quote.data?.card_required ?? false} />
        <WhatHappens />
      </div>
      <aside aria-label="Your order" className="lg:sticky lg:top-24 lg:self-start">
        <PriceDocket
          product={product}
          serverType={draft.serverType}
          name={draft.name}
          access={draft.access}
          volumes={draft.volumes.length}
          currency={currency}
        >
          <Button
            size="large"
            className="mt-4 w-full"
            busy={order.isPending}
            disabled={!quote.data || cardMissing || obstacles.length > 0}
            onClick={() => order.mutate()}
          >
            Order and pay
          </Button>
          {cardMissing && <p className="mt-2 text-center text-sm text-soft">Add a card first.</p>}
        </PriceDocket>
        <p className="mt-4 text-center text-sm">
          <Link
            to="/configure/$name"
            params={{ name: draft.product }}
            search={{ type: draft.serverType }}
            className="text-soft underline underline-offset-4 hover:text-ink"
          >
            Change the configuration
          </Link>
        </p>
      </aside>
    </div>
  );
}

/** Why this cannot be ordered now; an address that is to be confirmed first can be, from here. */
function Obstacle({
  problem,
  account,
}: {
  problem: { code: string; message: string };
  account: AccountWire | null | undefined;
}) {
  if (problem.code === 'email_unconfirmed' && account)
    return <UnconfirmedEmail account={account} isObstacle />;
  const toBilling = problem.code === 'account_in_arrears' && (
    <Link to="/billing" className={buttonClass('secondary', 'small')}>
      See what is open
    </Link>
  );
  return (
    <Notice tone="warning" title="This cannot be ordered right now" actions={toBilling}>
      {asSentence(problem.message)}
    </Notice>
  );
}

function WhatHappens() {
  const lines = [
    'We place, boot and check your server. You can watch each step.',
    'Billing starts when it answers. If it never does, the hold is released and you pay nothing.',
    'Delete it whenever you like; you pay for the hours until then.',
  ];
  return (
    <section aria-labelledby="next-title">
      <h2 id="next-title" className="text-xl">
        What happens next
      </h2>
      <ol className="mt-4 grid max-w-prose gap-3">
        {lines.map((line, index) => (
          <li key={line} className="flex gap-4">
            <span aria-hidden="true" className="font-mono font-bold text-brand">
              {index + 1}
            </span>
            {line}
          </li>
        ))}
      </ol>
    </section>
  );
}

function NothingConfigured() {
  return (
    <EmptyState
      icon={ClipboardList}
      title="There is nothing to pay for yet"
      action={
        <Link to="/" className={buttonClass()}>
          Choose a server
        </Link>
      }
    >
      Configure a server first; it then waits for you here.
    </EmptyState>
  );
}
