import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { ApiError } from '../../api/client.ts';
import { actionQuery, actOnServer, type ServerAction } from '../../api/servers.ts';

/** Starts actions of a server and follows each to its end; `started` runs when the service has accepted it. */
export function useServerAction(serverId: number, started: () => void) {
  const queryClient = useQueryClient();
  const [actionId, setActionId] = useState<number | null>(null);
  const { data: action } = useQuery(actionQuery(actionId));
  const begin = useMutation({
    mutationFn: (name: ServerAction) => actOnServer(serverId, name),
    onSuccess: (begun) => {
      setActionId(begun.id);
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
