import { useSyncExternalStore } from 'react';

const KEY = 'servery.project';
/** Of the account. */
const FIRST = '';
const listeners = new Set<() => void>();

/** The project that this tab works in, or null for the account's first. */
export function currentProjectId(): number | null {
  const stored = Number(sessionStorage.getItem(KEY));
  return Number.isSafeInteger(stored) && stored > 0 ? stored : null;
}

/**
 * A new tab works in the project that was chosen last: what is opened in one, or by a link of a mail, is not found in
 * another. From then on the tab keeps its own, whatever others choose.
 */
export function beginInLastProject(): void {
  if (sessionStorage.getItem(KEY) === null) sessionStorage.setItem(KEY, localStorage.getItem(KEY) ?? FIRST);
}

/** Chooses the project of all further calls; null goes back to the account's first. */
export function chooseProject(id: number | null): void {
  for (const storage of [sessionStorage, localStorage])
    storage.setItem(KEY, id === null ? FIRST : String(id));
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
