import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { accountQuery, resetPassword } from '../../api/account.ts';
import { ApiError } from '../../api/client.ts';
import { Button, buttonClass } from '../../components/button.tsx';
import { CheckBox } from '../../components/check-box.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Notice } from '../../components/notice.tsx';
import { Page } from '../../components/page.tsx';
import { Panel } from '../../components/section.tsx';
import { TextField } from '../../components/text-field.tsx';
import { newPasswordProblem, PASSWORD_HINT } from './credentials.ts';
import { useTokenOfLink } from './token-of-link.ts';

/** Where the link of the mail leads that lets somebody set a new password. */
export function ResetPasswordPage() {
  const token = useTokenOfLink();
  const queryClient = useQueryClient();
  const reset = useMutation({
    mutationFn: (chosen: NewPassword) =>
      resetPassword({ token, password: chosen.password, revoke_api_tokens: chosen.revokesTokens }),
    // All sessions have ended, that of this page too.
    onSuccess: () => queryClient.setQueryData(accountQuery.queryKey, null),
  });
  const isGone = token === '' || isLinkGone(reset.error);
  return (
    <Page title="Set a new password" narrow>
      {isGone && <LinkGone />}
      {reset.isSuccess && <PasswordSet email={reset.data.email} />}
      {!isGone && !reset.isSuccess && (
        <Panel>
          <PasswordForm error={reset.error} busy={reset.isPending} submit={reset.mutate} />
        </Panel>
      )}
    </Page>
  );
}

function isLinkGone(error: Error | null): boolean {
  return error instanceof ApiError && (error.code === 'gone' || error.fields.token !== undefined);
}

interface PasswordFormProps {
  readonly error: Error | null;
  readonly busy: boolean;
  readonly submit: (chosen: NewPassword) => void;
}

interface NewPassword {
  readonly password: string;
  readonly revokesTokens: boolean;
}

function PasswordForm({ error, busy, submit }: PasswordFormProps) {
  const [password, setPassword] = useState('');
  const [revokesTokens, setRevokesTokens] = useState(false);
  const [problem, setProblem] = useState<string>();
  function send(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    const found = newPasswordProblem(password);
    setProblem(found);
    if (found === undefined) submit({ password, revokesTokens });
    else event.currentTarget.querySelector('input')?.focus();
  }
  const refused = error instanceof ApiError ? error.fields.password : undefined;
  return (
    <form noValidate onSubmit={send} className="grid gap-5">
      {error && !refused && <ErrorPanel error={error} title="The password was not set" />}
      <TextField
        label="New password"
        name="password"
        type="password"
        autoComplete="new-password"
        value={password}
        onValueChange={setPassword}
        problem={problem ?? refused}
        hint={PASSWORD_HINT}
      />
      <CheckBox
        label="Revoke all API tokens too: somebody else may know them. Programs that use them stop working."
        checked={revokesTokens}
        onChange={setRevokesTokens}
      />
      <Button type="submit" size="large" busy={busy}>
        Set this password
      </Button>
    </form>
  );
}

function PasswordSet({ email }: { email: string }) {
  return (
    <div role="status">
      <Notice
        tone="good"
        title="Your new password is set"
        actions={
          <Link to="/sign-in" className={buttonClass()}>
            Sign in
          </Link>
        }
      >
        Sign in with it as <strong className="break-all">{email}</strong>. You were signed out everywhere
        else.
      </Notice>
    </div>
  );
}

function LinkGone() {
  return (
    <Notice
      tone="warning"
      title="This link has been used or is too old"
      actions={
        <Link to="/forgot-password" className={buttonClass()}>
          Ask for a new one
        </Link>
      }
    >
      Each link works once and for an hour.
    </Notice>
  );
}
