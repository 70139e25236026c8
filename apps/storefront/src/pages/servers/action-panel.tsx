import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import type { ActionWire, ServerWire } from '#libs/contracts';
import { actionQuery, serverActionsQuery } from '../../api/servers.ts';
import { ActionProgress } from '../../components/action-progress.tsx';
import { Notice } from '../../components/notice.tsx';
import { Panel } from '../../components/section.tsx';
import { actionWords } from './action-words.ts';

/** What is being done to a server now, with its real steps; then how it ended, until that is put away. */
export function ActionPanel({ server }: { server: ServerWire }) {
  const { action, putAway } = useLatestAction(server);
  if (!action) return null;
  const { doing, done, isImposed } = actionWords(action.command);
  if (action.status === 'success')
    return (
      <div role="status">
        <Notice tone={isImposed ? 'info' : 'good'} title={done} onClose={putAway} />
      </div>
    );
  if (action.status === 'error') return <ActionFailed action={action} putAway={putAway} />;
  return (
    <Panel className="animate-settle">
      <h2 className="mb-3 text-lg">{doing}</h2>
      <ActionProgress
        action={action}
        since={action.started}
        clockLabel="Time since it began"
        barLabel={`Progress: ${doing}`}
      />
    </Panel>
  );
}

/** The action that runs, or the one that was seen running on this page. An order has a page of its own. */
function useLatestAction(server: ServerWire) {
  const queryClient = useQueryClient();
  const { data: actions } = useInfiniteQuery({
    ...serverActionsQuery(server.id),
    refetchInterval: server.locked ? 2_000 : false,
  });
  const [watchedId, setWatchedId] = useState<number | null>(null);
  const running = actions?.find(({ status, command }) => status === 'running' && command !== 'create_server');
  if (running && running.id !== watchedId) setWatchedId(running.id);
  const { data: action } = useQuery(actionQuery(watchedId));
  const ended = action !== undefined && action.status !== 'running';
  useEffect(() => {
    if (ended) void queryClient.invalidateQueries({ queryKey: ['servers'] });
  }, [ended, queryClient]);
  return { action: action ?? running, putAway: () => setWatchedId(null) };
}

/** What its owner can do about a failure, by the API's code. */
const ADVICE: Readonly<Record<string, string>> = {
  host_unreachable: 'Its host does not answer; our operators know. Try again in a few minutes.',
  host_lost: 'The machine that it was on is gone for good, and the server with it.',
  given_up: 'Our operators ended it. See how the server is before you try again.',
};

function ActionFailed({ action, putAway }: { action: ActionWire; putAway: () => void }) {
  const { name } = actionWords(action.command);
  return (
    <Notice tone="bad" title={`${name}: that did not work`} onClose={putAway}>
      <p>{action.error?.message}</p>
      <p>{adviceOn(action)}</p>
    </Notice>
  );
}

function adviceOn({ command, error }: ActionWire): string {
  const code = error?.code ?? '';
  const otherwise =
    code === 'deadline_exceeded'
      ? 'It took too long. See whether the server answers, then try again.'
      : 'The server was left as it was. You can try again.';
  return ADVICE[code] ?? actionWords(command).failed ?? otherwise;
}
