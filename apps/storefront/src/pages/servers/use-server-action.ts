import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { ApiError } from '../../api/client.ts';
import { actionQuery, actOnServer, type ServerAction } from '../../api/servers.ts';

interface Options {
  /** Runs when the service has accepted the action. */
  readonly started: () => void;
  /** Whether to report how it ended; a page that shows the action's progress does that by itself. */
  readonly follow: boolean;
}

/** Starts actions of a server and, where wished, follows each to its end. */
export function useServerAction(serverId: number, { started, follow }: Options) {
  const queryClient = useQueryClient();
  const [actionId, setActionId] = useState<number | null>(null);
  const { data: action } = useQuery(actionQuery(actionId));
  const begin = useMutation({
    mutationFn: (name: ServerAction) => actOnServer(serverId, name),
    onSuccess: (begun) => {
      if (follow) setActionId(begun.id);
      void queryClient.invalidateQueries({ queryKey: ['servers'] });
      started();
    },
  });
  const status = action?.status;
  useEffect(() => {
    if (status && status !== 'running') void queryClient.invalidateQueries({ queryKey: ['servers'] });
  }, [status, queryClient]);
  const failure = action?.error ? new ApiError(200, action.error.code, action.error.message) : null;
  return {
    start: begin.mutate,
    busy: begin.isPending || status === 'running',
    error: begin.error ?? failure,
    clear: () => {
      begin.reset();
      setActionId(null);
    },
  };
}
