import { useQueryClient } from '@tanstack/react-query';
import { chooseProject } from './api/project.ts';

/** What belongs to a project rather than to the account, by the first word of its query key. */
const OF_A_PROJECT = new Set<unknown>(['servers', 'actions', 'orders', 'ssh_keys', 'api_tokens']);

/** Goes on in another project; what was loaded of the one before is forgotten, not shown under its name. */
export function useProjectChange(): (id: number) => Promise<void> {
  const queryClient = useQueryClient();
  return async (id) => {
    chooseProject(id);
    await queryClient.resetQueries({ predicate: ({ queryKey }) => OF_A_PROJECT.has(queryKey[0]) });
  };
}
