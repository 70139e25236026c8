import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { requestPasswordReset } from '../../api/account.ts';
import { ApiError } from '../../api/client.ts';
import { Button } from '../../components/button.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Notice } from '../../components/notice.tsx';
import { Page } from '../../components/page.tsx';
import { Panel } from '../../components/section.tsx';
import { TextField } from '../../components/text-field.tsx';
import { looksLikeEmail } from './credentials.ts';

/** Asks for a mail with a link that sets a new password. */
export function ForgotPasswordPage() {
  const request = useMutation({ mutationFn: requestPasswordReset });
  return (
    <Page
      title="Forgot your password?"
      lead="We send you a link. It lets you set a new one, once and within an hour."
      narrow
    >
      <Panel>
        {request.isSuccess ? (
          <MailOnItsWay email={request.variables} again={request.reset} />
        ) : (
          <RequestForm error={request.error} busy={request.isPending} submit={request.mutate} />
        )}
      </Panel>
      <p className="mt-6 text-soft">
        It came back to you?{' '}
        <Link to="/sign-in" className="font-medium text-ink underline underline-offset-4">
          Sign in
        </Link>
      </p>
    </Page>
  );
}

interface RequestFormProps {
  readonly error: Error | null;
  readonly busy: boolean;
  readonly submit: (email: string) => void;
}

function RequestForm({ error, busy, submit }: RequestFormProps) {
  const [email, setEmail] = useState('');
  const [problem, setProblem] = useState<string>();
  function send(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    const isFit = looksLikeEmail(email);
    setProblem(isFit ? undefined : 'Enter your e-mail address.');
    if (isFit) submit(email.trim());
    else event.currentTarget.querySelector('input')?.focus();
  }
  const refused = error instanceof ApiError ? error.fields.email : undefined;
  return (
    <form noValidate onSubmit={send} className="grid gap-5">
      {error && !refused && <ErrorPanel error={error} title="No mail was sent" />}
      <TextField
        label="E-mail"
        name="email"
        type="email"
        autoComplete="username"
        value={email}
        onValueChange={setEmail}
        problem={problem ?? refused}
      />
      <Button type="submit" size="large" busy={busy}>
        Send me the link
      </Button>
    </form>
  );
}

function MailOnItsWay({ email, again }: { email: string; again: () => void }) {
  return (
    <div role="status">
      <Notice
        tone="good"
        title="Look into your mailbox"
        actions={
          <Button look="secondary" size="small" onClick={again}>
            Use another address
          </Button>
        }
      >
        If <strong className="break-all">{email}</strong> has an account here, a mail with the link is on its
        way. Look among the unwanted ones too.
      </Notice>
    </div>
  );
}
