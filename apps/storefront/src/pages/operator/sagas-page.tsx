import { useQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { Activity } from 'lucide-react';
import { SAGA_STATES, sagasQuery } from '../../api/operator.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { Cell, Table } from '../../components/table.tsx';
import { Time } from '../../components/time.tsx';
import { OperatorFrame } from './operator-frame.tsx';

export function SagasPage() {
  const { state } = useSearch({ from: '/operator/sagas' });
  const { data: sagas, error, isPending, refetch } = useQuery(sagasQuery(state));
  return (
    <OperatorFrame title="Workflows" lead="The newest 50 long operations, with where each stands.">
      <StateFilter />
      {error && <ErrorPanel error={error} retry={refetch} title="The workflows could not be loaded" />}
      {isPending && <Skeleton className="h-60" />}
      {sagas?.length === 0 && (
        <EmptyState
          icon={Activity}
          title={state ? `No workflow is ${state}` : 'Nothing has been ordered yet'}
        />
      )}
      {sagas && sagas.length > 0 && (
        <Table caption="Workflows" columns={['Workflow', 'State', 'Step', 'About', 'Began', 'Error']}>
          {sagas.map((saga) => (
            <tr key={saga.id}>
              <Cell>
                <Link
                  to="/operator/sagas/$sagaId"
                  params={{ sagaId: saga.id }}
                  className="font-[600] whitespace-nowrap underline decoration-line-strong underline-offset-4"
                >
                  {saga.name}
                </Link>
              </Cell>
              <Cell className="whitespace-nowrap">{saga.state}</Cell>
              <Cell className="whitespace-nowrap">
                {saga.step}
                {saga.tries > 1 && <span className="text-soft"> · try {saga.tries}</span>}
              </Cell>
              <Cell className="font-mono text-sm whitespace-nowrap">
                {saga.subject ? `${saga.subject.type} ${saga.subject.id}` : ''}
              </Cell>
              <Cell className="whitespace-nowrap text-soft">
                <Time at={saga.created} />
              </Cell>
              <Cell className="text-bad">{saga.error?.message}</Cell>
            </tr>
          ))}
        </Table>
      )}
    </OperatorFrame>
  );
}

const FILTER =
  'rounded-full border border-line-strong/60 px-3 py-1 text-sm hover:bg-sunken aria-[current]:border-ink aria-[current]:bg-ink aria-[current]:text-page';

function StateFilter() {
  const { state: current } = useSearch({ from: '/operator/sagas' });
  return (
    <nav aria-label="Show workflows that are" className="mb-5 flex flex-wrap gap-2">
      {[undefined, ...SAGA_STATES].map((state) => (
        <Link
          key={state ?? 'all'}
          to="/operator/sagas"
          search={{ state }}
          activeProps={{}}
          aria-current={state === current ? 'true' : undefined}
          className={FILTER}
        >
          {state ?? 'all'}
        </Link>
      ))}
    </nav>
  );
}
