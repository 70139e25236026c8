import type { ReactNode } from 'react';
import { Page } from '../../components/page.tsx';
import { Tabs } from '../../components/tabs.tsx';
import { StandingNotice } from './standing-notice.tsx';

const TABS = [
  ['/billing', 'This month'],
  ['/billing/invoices', 'Invoices'],
  ['/billing/credit', 'Credit'],
  ['/billing/settings', 'Limits and address'],
] as const;

interface BillingFrameProps {
  readonly title: string;
  readonly lead?: ReactNode;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}

/** The frame of the pages about money; an account that has not paid reads here what to do. */
export function BillingFrame({ children, ...page }: BillingFrameProps) {
  return (
    <Page {...page} above={<Tabs label="Billing" tabs={TABS} exact />}>
      <StandingNotice />
      {children}
    </Page>
  );
}
