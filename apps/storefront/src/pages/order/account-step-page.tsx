import { Tabs } from '@base-ui/react/tabs';
import { useQuery } from '@tanstack/react-query';
import { Navigate, useNavigate } from '@tanstack/react-router';
import { accountQuery } from '../../api/account.ts';
import { Page } from '../../components/page.tsx';
import { Panel } from '../../components/section.tsx';
import { AccountForm, type AccountFormMode } from '../account/account-form.tsx';
import { OrderTrail } from './order-trail.tsx';

const TABS: readonly (readonly [AccountFormMode, string])[] = [
  ['sign-up', 'I am new'],
  ['sign-in', 'I have an account'],
];

/** Signing up or in on the way to an order; what was configured is kept. */
export function AccountStepPage() {
  const navigate = useNavigate();
  const { data: account } = useQuery(accountQuery);
  const done = () => navigate({ to: '/order/review' });
  if (account) return <Navigate to="/order/review" replace />;
  return (
    <Page
      title="Who is it for?"
      lead="Your server needs an owner. What you have configured is kept."
      above={<OrderTrail at="Account" />}
      narrow
    >
      <Panel>
        <Tabs.Root defaultValue="sign-up">
          <Tabs.List className="mb-6 grid grid-cols-2 rounded-control bg-sunken p-1">
            {TABS.map(([mode, label]) => (
              <Tabs.Tab
                key={mode}
                value={mode}
                className="rounded-[0.375rem] px-3 py-2 text-[0.9375rem] font-[550] text-soft data-active:bg-surface data-active:text-ink data-active:shadow-sm"
              >
                {label}
              </Tabs.Tab>
            ))}
          </Tabs.List>
          {TABS.map(([mode]) => (
            <Tabs.Panel key={mode} value={mode}>
              <AccountForm mode={mode} done={done} />
            </Tabs.Panel>
          ))}
        </Tabs.Root>
      </Panel>
    </Page>
  );
}
