import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { accountQuery } from '../../api/account.ts';
import { Page } from '../../components/page.tsx';
import { NotFoundPage } from '../fallback-pages.tsx';

const TABS = [
  ['/operator/hosts', 'Hosts'],
  ['/operator/sagas', 'Workflows'],
  ['/operator/findings', 'Findings'],
] as const;

/** The frame of the operator's pages. To others these pages do not exist; the API refuses them as well. */
export function OperatorFrame({
  title,
  lead,
  children,
}: {
  title: string;
  lead?: string;
  children: ReactNode;
}) {
  const { data: account } = useQuery(accountQuery);
  if (account && account.role !== 'operator') return <NotFoundPage />;
  return (
    <Page
      title={title}
      lead={lead}
      above={
        <nav aria-label="Fleet" className="mb-8 flex gap-1 border-b border-line">
          {TABS.map(([to, label]) => (
            <Link
              key={to}
              to={to}
              className="-mb-px border-b-2 border-transparent px-3 py-2.5 font-medium text-soft hover:text-ink [&.active]:border-saffron [&.active]:text-ink"
            >
              {label}
            </Link>
          ))}
        </nav>
      }
    >
      {children}
    </Page>
  );
}
