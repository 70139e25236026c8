import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, Navigate, useNavigate, useSearch } from '@tanstack/react-router';
import { LoaderCircle } from 'lucide-react';
import { useEffect, useState } from 'react';
import { accountQuery, cardSetupQuery, paymentMethodsQuery } from '../../api/account.ts';
import { type CardSetup, currentCardSetup, forgetCardSetup, leaveForCardPage } from '../../card-setup.ts';
import { Button, buttonClass } from '../../components/button.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Notice } from '../../components/notice.tsx';
import { Page } from '../../components/page.tsx';

const PATIENCE_MS = 15_000;

/** Where the hosted card page sends people back to: asks how it went, and sends them on. */
export function CardReturnPage() {
  const search = useSearch({ from: '/cards/return' });
  const [setup] = useState(() => currentCardSetup(search.setup));
  if (setup === null) return <Navigate to="/account" replace />;
  return (
    <Page title="Your card" narrow>
      <CardSetupResult setup={setup} cancelled={search.cancelled !== undefined} />
    </Page>
  );
}

function CardSetupResult({ setup, cancelled }: { setup: CardSetup; cancelled: boolean }) {
  const { patient, restart } = usePatience(!cancelled);
  const { data, error, refetch } = useQuery({
    ...cardSetupQuery(setup.id),
    refetchInterval: ({ state }) => (patient && (state.data?.status ?? 'open') === 'open' ? 1_000 : false),
  });
  useGoOnWhen(data?.status === 'complete', setup.back);
  if (error) return <ErrorPanel error={error} retry={refetch} title="We could not ask for your card" />;
  if (data?.status === 'failed' || data?.status === 'expired')
    return <CardRefused status={data.status} back={setup.back} />;
  if (data?.status === 'open' && !patient) return <CardUnfinished setup={setup} askAgain={restart} />;
  return (
    <p role="status" className="flex items-center gap-3 text-lg">
      <LoaderCircle aria-hidden="true" className="size-5 animate-spin text-brand" />
      {data?.status === 'complete'
        ? 'Your card is ready. Taking you back…'
        : 'Checking with the payment provider…'}
    </p>
  );
}

/** Whether to go on asking: for a while after the way back, and again after `restart`. */
function usePatience(atFirst: boolean) {
  const [since, setSince] = useState(() => (atFirst ? Date.now() : 0));
  const [patient, setPatient] = useState(atFirst);
  useEffect(() => {
    if (since === 0) return;
    setPatient(true);
    const timer = setTimeout(() => setPatient(false), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [since]);
  return { patient, restart: () => setSince(Date.now()) };
}

function useGoOnWhen(complete: boolean, back: string): void {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  useEffect(() => {
    if (!complete) return;
    void (async () => {
      forgetCardSetup();
      // The card is there, whatever could not be asked for just now.
      await Promise.allSettled([
        queryClient.invalidateQueries(paymentMethodsQuery),
        queryClient.invalidateQueries({ queryKey: ['quote'] }),
        queryClient.fetchQuery({ ...accountQuery, staleTime: 0 }),
      ]);
      await navigate({ to: back, replace: true });
    })();
  }, [complete, back, queryClient, navigate]);
}

function CardRefused({ status, back }: { status: 'failed' | 'expired'; back: string }) {
  const again = useMutation({ mutationFn: () => leaveForCardPage(back) });
  const declined = status === 'failed';
  return (
    <Notice
      tone="bad"
      title={declined ? 'The card was declined' : 'The card page has expired'}
      actions={
        <>
          <Button busy={again.isPending} onClick={() => again.mutate()}>
            {declined ? 'Try another card' : 'Open it again'}
          </Button>
          <BackLink to={back} />
        </>
      }
    >
      {declined
        ? 'Your bank did not accept it. Nothing was charged. Check the number and the date, or use another card.'
        : 'It was left open for too long. Nothing was charged.'}
    </Notice>
  );
}

function CardUnfinished({ setup: { url, back }, askAgain }: { setup: CardSetup; askAgain: () => void }) {
  return (
    <Notice
      tone="warning"
      title="No card was added"
      actions={
        <>
          {url && (
            <a href={url} className={buttonClass('primary')}>
              Back to the card page
            </a>
          )}
          <Button look="secondary" onClick={askAgain}>
            Check again
          </Button>
          <BackLink to={back} />
        </>
      }
    >
      The card page was left before a card was saved. Nothing was charged. If your bank declined the card, try
      another one.
    </Notice>
  );
}

function BackLink({ to }: { to: string }) {
  return (
    <Link to={to} className={buttonClass('quiet')}>
      Back
    </Link>
  );
}
