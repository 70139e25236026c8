import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import type { SagaTryWire, SagaWire } from '#libs/contracts';
import { resumeSaga, sagaQuery } from '../../api/operator.ts';
import { Button } from '../../components/button.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Notice } from '../../components/notice.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { Cell, Table } from '../../components/table.tsx';
import { Time } from '../../components/time.tsx';
import { formatDuration } from '../../format.ts';
import { OperatorFrame } from './operator-frame.tsx';

export function SagaPage() {
  const { sagaId } = useParams({ from: '/operator/sagas/$sagaId' });
  const { data: saga, error, refetch } = useQuery(sagaQuery(sagaId));
  return (
    <OperatorFrame title={saga?.name ?? 'Workflow'}>
      {error && <ErrorPanel error={error} retry={refetch} title="This workflow could not be loaded" />}
      {saga ? <SagaBody saga={saga} /> : !error && <Skeleton className="h-60" />}
    </OperatorFrame>
  );
}

function SagaBody({ saga }: { saga: SagaWire & { log: SagaTryWire[] } }) {
  return (
    <div className="grid gap-6">
      <p className="text-soft">
        <span className="font-[600] text-ink">{saga.state}</span>, at {saga.step} · began{' '}
        <Time at={saga.created} />
        {saga.finished ? ' · ended ' : ' · wakes '}
        <Time at={saga.finished ?? saga.wake_at} />
      </p>
      {saga.error && <StoppedNotice saga={saga} />}
      <Table
        caption="Tries of each step"
        columns={['Step', 'Direction', 'Try', 'Outcome', 'Took', 'At', 'Error']}
      >
        {saga.log.map((one) => (
          <tr key={`${one.at} ${one.step} ${one.direction} ${one.try}`}>
            <Cell className="font-[600] whitespace-nowrap">{one.step}</Cell>
            <Cell>{one.direction}</Cell>
            <Cell className="tabular-nums">{one.try}</Cell>
            <Cell>{one.outcome}</Cell>
            <Cell className="whitespace-nowrap tabular-nums">
              {formatDuration(one.duration_seconds * 1000)}
            </Cell>
            <Cell className="whitespace-nowrap text-soft">
              <Time at={one.at} />
            </Cell>
            <Cell className="text-bad">{one.error && `${one.error.code}: ${one.error.message}`}</Cell>
          </tr>
        ))}
      </Table>
    </div>
  );
}

function StoppedNotice({ saga }: { saga: SagaWire }) {
  const queryClient = useQueryClient();
  const resume = useMutation({
    mutationFn: () => resumeSaga(saga.id),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ['sagas'] }),
  });
  return (
    <Notice
      tone="bad"
      title={saga.error?.code ?? 'It stopped'}
      actions={
        saga.state === 'stuck' && (
          <Button look="secondary" size="small" busy={resume.isPending} onClick={() => resume.mutate()}>
            Go on
          </Button>
        )
      }
    >
      {saga.error?.message}
      {resume.error && <p className="mt-2">{resume.error.message}</p>}
    </Notice>
  );
}
