import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { Page } from '../../components/page.tsx';
import { Panel } from '../../components/section.tsx';
import { AccountForm } from './account-form.tsx';

export function SignUpPage() {
  const search = useSearch({ from: '/sign-up' });
  const navigate = useNavigate();
  return (
    <Page title="Create your account" narrow>
      <Panel>
        <AccountForm mode="sign-up" done={() => navigate({ to: search.next ?? '/' })} />
      </Panel>
      <p className="mt-6 text-soft">
        Been here before?{' '}
        <Link to="/sign-in" search={search} className="font-medium text-ink underline underline-offset-4">
          Sign in
        </Link>
      </p>
    </Page>
  );
}
