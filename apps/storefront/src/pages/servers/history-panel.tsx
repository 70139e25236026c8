import { useInfiniteQuery } from '@tanstack/react-query';
import { serverActionsQuery } from '../../api/servers.ts';
import { Button } from '../../components/button.tsx';
import { Panel } from '../../components/section.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { Time } from '../../components/time.tsx';
import { actionWords } from './action-words.ts';

const OUTCOME = { running: 'under way', success: 'done', error: 'failed' } as const;

/** What was done to a server, newest first. */
export function HistoryPanel({ serverId }: { serverId: number }) {
  const history = useInfiniteQuery(serverActionsQuery(serverId));
  return (
    <Panel>
      <h2 className="text-lg">History</h2>
      {history.isPending && <Skeleton className="mt-3 h-10" count={2} />}
      {history.error && !history.data && (
        <p className="mt-2 text-sm text-soft">The history could not be loaded. It is asked for again.</p>
      )}
      <ul className="mt-3 divide-y divide-line text-sm">
        {history.data?.map((action) => (
          <li key={action.id} className="py-2.5">
            <span className="flex justify-between gap-4">
              <span className="font-medium">{actionWords(action.command).name}</span>
              <span className={action.status === 'error' ? 'font-medium text-bad' : 'text-soft'}>
                {OUTCOME[action.status]}
              </span>
            </span>
            <span className="text-soft">
              <Time at={action.started} />
            </span>
            {action.error && <span className="block text-bad">{action.error.message}</span>}
          </li>
        ))}
      </ul>
      {history.hasNextPage && (
        <Button
          look="secondary"
          size="small"
          className="mt-3"
          busy={history.isFetchingNextPage}
          onClick={() => void history.fetchNextPage()}
        >
          Show older
        </Button>
      )}
    </Panel>
  );
}
