const KEY = 'servery.project';

/** The project that the visitor works in, or null for the account's first. */
export function currentProjectId(): number | null {
  const stored = Number(sessionStorage.getItem(KEY));
  return Number.isSafeInteger(stored) && stored > 0 ? stored : null;
}

/** Chooses the project of all further calls; null goes back to the account's first. */
export function chooseProject(id: number | null): void {
  if (id === null) sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, String(id));
}
