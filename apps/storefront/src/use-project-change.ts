import { type Query, useQueryClient } from '@tanstack/react-query';
import { chooseProject } from './api/project.ts';

/** What is the account's, the shop's or the operator's, by the first word of its query key; the rest is a project's. */
const OF_NO_PROJECT = new Set<unknown>([
  ...['account', 'billing', 'payment_methods', 'card_setup', 'email_confirmation'],
  ...['catalog', 'server_types', 'pricing', 'components', 'isos'],
  ...['books', 'hosts', 'sagas', 'findings'],
]);

export function isOfProject({ queryKey }: Pick<Query, 'queryKey'>): boolean {
  return !OF_NO_PROJECT.has(queryKey[0]);
}

/** Goes on in another project; what was loaded of the one before is forgotten, not shown under its name. */
export function useProjectChange(): (id: number) => Promise<void> {
  const queryClient = useQueryClient();
  return async (id) => {
    chooseProject(id);
    await queryClient.resetQueries({ predicate: isOfProject });
  };
}
