import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { AccountWire } from '#libs/contracts';
import { accountQuery, sendConfirmation } from '../../api/account.ts';
import { ApiError } from '../../api/client.ts';
import { Button } from '../../components/button.tsx';
import { Notice } from '../../components/notice.tsx';

/** That the address is not confirmed yet, and the way to another mail. `isObstacle`: nothing can be ordered before. */
export function UnconfirmedEmail({
  account,
  isObstacle = false,
}: {
  account: AccountWire;
  isObstacle?: boolean;
}) {
  const queryClient = useQueryClient();
  const again = useMutation({ mutationFn: sendConfirmation });
  const look = useMutation({
    mutationFn: () =>
      Promise.all([
        queryClient.fetchQuery({ ...accountQuery, staleTime: 0 }),
        queryClient.invalidateQueries({ queryKey: ['quote'] }),
      ]),
  });
  if (account.email_confirmed) return null;
  return (
    <Notice
      tone={isObstacle ? 'warning' : 'info'}
      title={isObstacle ? 'Confirm your e-mail address first' : 'Your e-mail address is not confirmed yet'}
      actions={
        <>
          <Button look="secondary" size="small" busy={again.isPending} onClick={() => again.mutate()}>
            Send the mail again
          </Button>
          <Button look="quiet" size="small" busy={look.isPending} onClick={() => look.mutate()}>
            I have confirmed it
          </Button>
        </>
      }
    >
      <p>
        Follow the link in the mail that we sent to <strong className="break-all">{account.email}</strong>.
      </p>
      <p role="status">
        {again.isSuccess && 'Another mail is on its way. Look among the unwanted ones too.'}
        {again.error && whyNot(again.error)}
        {look.isSuccess && 'It is not confirmed yet.'}
      </p>
    </Notice>
  );
}

function whyNot(error: Error): string {
  if (error instanceof ApiError && error.code === 'rate_limit_exceeded')
    return 'That were many mails. Wait an hour before you ask for another one.';
  return error.message;
}
