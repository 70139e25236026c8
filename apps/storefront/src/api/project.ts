import { useSyncExternalStore } from 'react';

const KEY = 'servery.project';
const listeners = new Set<() => void>();

/** The project that this tab works in, or null for the account's first. */
export function currentProjectId(): number | null {
  const stored = Number(sessionStorage.getItem(KEY));
  return Number.isSafeInteger(stored) && stored > 0 ? stored : null;
}

/** Chooses the project of all further calls; null goes back to the account's first. */
export function chooseProject(id: number | null): void {
  if (id === null) sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, String(id));
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The project of this tab among those of the account. */
export function useCurrentProject<P extends { readonly id: number }>(projects: readonly P[]): P | undefined {
  const id = useSyncExternalStore(subscribe, currentProjectId);
  return projects.find((project) => project.id === id) ?? projects[0];
}
