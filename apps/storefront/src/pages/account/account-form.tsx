import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { accountQuery, type Credentials, signIn, signUp } from '../../api/account.ts';
import { ApiError } from '../../api/client.ts';
import { Button } from '../../components/button.tsx';
import { Notice } from '../../components/notice.tsx';
import { TextField } from '../../components/text-field.tsx';
import { looksLikeEmail, newPasswordProblem, PASSWORD_HINT } from './credentials.ts';

export type AccountFormMode = 'sign-up' | 'sign-in';

const WORDS = {
  'sign-up': { submit: 'Create account', password: 'new-password' },
  'sign-in': { submit: 'Sign in', password: 'current-password' },
} as const;

/** Signing up and signing in are the same two fields. `done` runs with the session in place. */
export function AccountForm({ mode, done }: { mode: AccountFormMode; done: () => void }) {
  const queryClient = useQueryClient();
  const [form, setForm] = useState<Credentials>({ email: '', password: '' });
  const [problems, setProblems] = useState<Partial<Credentials>>({});
  const enter = useMutation({
    mutationFn: mode === 'sign-up' ? signUp : signIn,
    onSuccess: async () => {
      await queryClient.fetchQuery({ ...accountQuery, staleTime: 0 });
      done();
    },
    // Its variables hold the password.
    gcTime: 0,
    onError: (error) => setProblems(error instanceof ApiError ? error.fields : {}),
  });

  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    const found = findProblems(form, mode);
    setProblems(found);
    const first = found.email ? 'email' : found.password ? 'password' : null;
    if (first) event.currentTarget.querySelector<HTMLElement>(`[name="${first}"]`)?.focus();
    else enter.mutate(form);
  }

  return (
    <form noValidate onSubmit={submit} className="grid gap-5">
      {enter.error && <EntryError error={enter.error} />}
      <TextField
        label="E-mail"
        name="email"
        type="email"
        autoComplete="username"
        value={form.email}
        onValueChange={(email) => setForm({ ...form, email })}
        problem={problems.email}
      />
      <TextField
        label="Password"
        name="password"
        type="password"
        autoComplete={WORDS[mode].password}
        value={form.password}
        onValueChange={(password) => setForm({ ...form, password })}
        problem={problems.password}
        hint={mode === 'sign-up' ? PASSWORD_HINT : undefined}
      />
      {mode === 'sign-in' && (
        <p className="-mt-2 text-sm">
          <Link to="/forgot-password" className="text-soft underline underline-offset-4 hover:text-ink">
            Forgot your password?
          </Link>
        </p>
      )}
      <Button type="submit" size="large" busy={enter.isPending}>
        {WORDS[mode].submit}
      </Button>
    </form>
  );
}

function findProblems({ email, password }: Credentials, mode: AccountFormMode): Partial<Credentials> {
  const found: { email?: string; password?: string } = {};
  if (!looksLikeEmail(email)) found.email = 'Enter your e-mail address.';
  const wrong =
    mode === 'sign-up' ? newPasswordProblem(password) : password === '' ? 'Enter a password.' : undefined;
  if (wrong) found.password = wrong;
  return found;
}

const ENTRY_ERRORS: Readonly<Record<string, readonly [title: string, text: string]>> = {
  unauthorized: ['That does not match', 'The e-mail or the password is wrong. Check both and try again.'],
  uniqueness_error: ['You already have an account', 'There is an account with this e-mail. Sign in instead.'],
  rate_limit_exceeded: ['Too many tries', 'Wait a few minutes before you try again.'],
};

function EntryError({ error }: { error: Error }) {
  const code = error instanceof ApiError ? error.code : '';
  const [title, text] = ENTRY_ERRORS[code] ?? ['That did not work', error.message];
  return (
    <Notice tone="bad" title={title}>
      {text}
    </Notice>
  );
}
