import { useQuery } from '@tanstack/react-query';
import { ShieldCheck } from 'lucide-react';
import { findingsQuery } from '../../api/operator.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { Cell, Table } from '../../components/table.tsx';
import { formatDate } from '../../format.ts';
import { OperatorFrame } from './operator-frame.tsx';

export function FindingsPage() {
  const { data: findings, error, isPending, refetch } = useQuery(findingsQuery);
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
              <Cell className="whitespace-nowrap text-soft">{formatDate(finding.first_seen)}</Cell>
              <Cell className="whitespace-nowrap text-soft">{formatDate(finding.last_seen)}</Cell>
            </tr>
          ))}
        </Table>
      )}
    </OperatorFrame>
  );
}
