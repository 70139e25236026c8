import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { Page } from '../../components/page.tsx';
import { Panel } from '../../components/section.tsx';
import { AccountForm } from './account-form.tsx';

export function SignInPage() {
  const search = useSearch({ from: '/sign-in' });
  const navigate = useNavigate();
  return (
    <Page title="Welcome back" narrow>
      <Panel>
        <AccountForm mode="sign-in" done={() => navigate({ to: search.next ?? '/servers' })} />
      </Panel>
      <p className="mt-6 text-soft">
        New here?{' '}
        <Link to="/sign-up" search={search} className="font-medium text-ink underline underline-offset-4">
          Create an account
        </Link>
      </p>
    </Page>
  );
}
