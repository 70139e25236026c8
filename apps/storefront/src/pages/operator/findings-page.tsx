import { useQuery } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { ShieldCheck } from 'lucide-react';
import { findingsQuery } from '../../api/operator.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Pager } from '../../components/pager.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { Cell, Table } from '../../components/table.tsx';
import { Time } from '../../components/time.tsx';
import { OperatorFrame } from './operator-frame.tsx';

export function FindingsPage() {
  const { page = 1 } = useSearch({ from: '/operator/findings' });
  const { data, error, isPending, refetch } = useQuery(findingsQuery(page));
  const findings = data?.findings;
  return (
    <OperatorFrame title="Findings" lead="Where the fleet and the database disagree.">
      {error && <ErrorPanel error={error} retry={refetch} title="The findings could not be loaded" />}
      {isPending && <Skeleton className="h-40" />}
      {findings?.length === 0 && (
        <EmptyState icon={ShieldCheck} title="All in order">
          Every domain, disk and address on the hosts belongs to a server that we know.
        </EmptyState>
      )}
      {findings && findings.length > 0 && (
        <Table caption="Findings" columns={['Kind', 'What', 'Host', 'First seen', 'Last seen']}>
          {findings.map((finding) => (
            <tr key={finding.id}>
              <Cell className="font-[600] whitespace-nowrap">{finding.kind}</Cell>
              <Cell className="font-mono text-sm">{finding.subject}</Cell>
              <Cell>{finding.host?.name}</Cell>
              <Cell className="whitespace-nowrap text-soft">
                <Time at={finding.first_seen} />
              </Cell>
              <Cell className="whitespace-nowrap text-soft">
                <Time at={finding.last_seen} />
              </Cell>
            </tr>
          ))}
        </Table>
      )}
      {data && <Pager pagination={data.pagination} what="findings" />}
    </OperatorFrame>
  );
}
