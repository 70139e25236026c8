import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import type { ActionWire } from '#libs/contracts';
import { ApiError } from '../../api/client.ts';
import { actionQuery } from '../../api/servers.ts';

/** What a dialog shows of what it has asked for. */
export interface VolumeAnswer {
  readonly busy: boolean;
  readonly refusal: Error | null;
}

/** Starts something that takes a while and follows it to its end; `started` runs when the service has taken it. */
export function useVolumeAction(started: () => void) {
  const queryClient = useQueryClient();
  const [actionId, setActionId] = useState<number | null>(null);
  const { data: action } = useQuery(actionQuery(actionId));
  const refresh = () =>
    Promise.all(['volumes', 'servers'].map((key) => queryClient.invalidateQueries({ queryKey: [key] })));
  const begin = useMutation({
    mutationFn: (ask: () => Promise<ActionWire>) => ask(),
    onSuccess: async ({ id }) => {
      setActionId(id);
      started();
      await refresh();
    },
  });
  const status = action?.status;
  useEffect(() => {
    if (!status || status === 'running') return;
    for (const key of ['volumes', 'servers']) void queryClient.invalidateQueries({ queryKey: [key] });
  }, [status, queryClient]);
  const failure = action?.error ? new ApiError(200, action.error.code, action.error.message) : null;
  return {
    start: begin.mutate,
    busy: begin.isPending || status === 'running',
    refusal: begin.error,
    failure,
    clear: begin.reset,
  };
}
