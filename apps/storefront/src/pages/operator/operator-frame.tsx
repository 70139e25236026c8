import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { accountQuery } from '../../api/account.ts';
import { Page } from '../../components/page.tsx';
import { Tabs } from '../../components/tabs.tsx';
import { NotFoundPage } from '../fallback-pages.tsx';

const FLEET = [
  ['/operator/hosts', 'Hosts'],
  ['/operator/sagas', 'Workflows'],
  ['/operator/findings', 'Findings'],
] as const;

const BOOKS = [
  ['/operator/revenue', 'Revenue'],
  ['/operator/receivables', 'Receivables'],
  ['/operator/customers', 'Customers'],
  ['/operator/refunds', 'Refunds'],
  ['/operator/promotions', 'Promotions'],
  ['/operator/ledger', 'Ledger'],
  ['/operator/prices', 'Prices'],
] as const;

interface OperatorFrameProps {
  readonly title: string;
  readonly lead?: ReactNode;
  readonly actions?: ReactNode;
  /** Which of the operator's pages it stands among. */
  readonly area?: 'Fleet' | 'Books';
  readonly children: ReactNode;
}

/** The frame of the operator's pages. To others these pages do not exist; the API refuses them as well. */
export function OperatorFrame({ area = 'Fleet', children, ...page }: OperatorFrameProps) {
  const { data: account } = useQuery(accountQuery);
  if (account && account.role !== 'operator') return <NotFoundPage />;
  return (
    <Page {...page} above={<Tabs label={area} tabs={area === 'Fleet' ? FLEET : BOOKS} />}>
      {children}
    </Page>
  );
}
