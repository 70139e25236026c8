import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { LoaderCircle } from 'lucide-react';
import { useEffect } from 'react';
import { accountQuery, emailConfirmationQuery } from '../../api/account.ts';
import { ApiError } from '../../api/client.ts';
import { buttonClass } from '../../components/button.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Notice } from '../../components/notice.tsx';
import { Page } from '../../components/page.tsx';
import { readOrderDraft } from '../../order-draft.ts';
import { useTokenOfLink } from './token-of-link.ts';

/** Where the link of the mail leads that confirms an address. */
export function ConfirmEmailPage() {
  const token = useTokenOfLink();
  return (
    <Page title="Confirm your address" narrow>
      {token === '' ? <LinkGone /> : <Confirmation token={token} />}
    </Page>
  );
}

function Confirmation({ token }: { token: string }) {
  const queryClient = useQueryClient();
  const { data: confirmed, error, refetch } = useQuery(emailConfirmationQuery(token));
  useEffect(() => {
    if (!confirmed) return;
    void queryClient.invalidateQueries(accountQuery);
    void queryClient.invalidateQueries({ queryKey: ['quote'] });
  }, [confirmed, queryClient]);
  if (confirmed) return <Confirmed email={confirmed.email} />;
  if (error instanceof ApiError && (error.code === 'gone' || error.code === 'invalid_input'))
    return <LinkGone />;
  if (error) return <ErrorPanel error={error} retry={refetch} title="The address was not confirmed" />;
  return (
    <p role="status" className="flex items-center gap-3 text-lg">
      <LoaderCircle aria-hidden="true" className="size-5 animate-spin text-brand" />
      Confirming your address…
    </p>
  );
}

function Confirmed({ email }: { email: string }) {
  const hasDraft = readOrderDraft() !== null;
  return (
    <div role="status">
      <Notice
        tone="good"
        title="Your address is confirmed"
        actions={
          <Link to={hasDraft ? '/order/review' : '/'} className={buttonClass()}>
            {hasDraft ? 'Go on with your order' : 'To the catalog'}
          </Link>
        }
      >
        <span className="break-all">{email}</span> is yours. You can close this page.
      </Notice>
    </div>
  );
}

/** Most who come here have followed their link twice. */
function LinkGone() {
  const { data: account } = useQuery(accountQuery);
  if (account?.email_confirmed) return <Confirmed email={account.email} />;
  return (
    <Notice
      tone="warning"
      title="This link has been used or is too old"
      actions={
        <Link to="/account" className={buttonClass()}>
          To your account
        </Link>
      }
    >
      If you have confirmed your address with it, there is nothing left to do. Otherwise ask for another mail
      in your account.
    </Notice>
  );
}
