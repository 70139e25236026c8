import { startCardSetup } from './api/account.ts';
import { newIdempotencyKey } from './api/client.ts';

const KEY = 'servery.card-setup';

/** Leaves for the hosted card page; `/cards/return` finds the setup again by `currentCardSetup`. */
export async function leaveForCardPage(): Promise<void> {
  const setup = await startCardSetup(newIdempotencyKey());
  sessionStorage.setItem(KEY, JSON.stringify(setup));
  location.assign(setup.url);
}

/** The setup that this tab left for, or null. */
export function currentCardSetup(): { readonly id: string; readonly url: string } | null {
  const stored: unknown = JSON.parse(sessionStorage.getItem(KEY) ?? 'null');
  if (typeof stored !== 'object' || stored === null || !('id' in stored) || !('url' in stored)) return null;
  return { id: String(stored.id), url: String(stored.url) };
}

export function forgetCardSetup(): void {
  sessionStorage.removeItem(KEY);
}
