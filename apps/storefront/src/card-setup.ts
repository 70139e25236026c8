import { z } from 'zod';
import { startCardSetup } from './api/account.ts';
import { newIdempotencyKey } from './api/client.ts';

const KEY = 'servery.card-setup';
const storedSetup = z.object({ id: z.string(), url: z.string(), back: z.string() });

/** Leaves for the hosted card page; `/cards/return` finds the setup again by `currentCardSetup`, and goes on to `back`. */
export async function leaveForCardPage(back: string): Promise<void> {
  const setup = await startCardSetup(newIdempotencyKey());
  sessionStorage.setItem(KEY, JSON.stringify({ ...setup, back }));
  location.assign(setup.url);
}

export interface CardSetup {
  readonly id: string;
  /** The hosted page; null in a tab that did not open it. */
  readonly url: string | null;
  /** Our page to go on with. */
  readonly back: string;
}

const ACCOUNT = '/account';

/** The setup that this tab left for, or the one that the hosted page named on the way back. */
export function currentCardSetup(returnedId: string | undefined): CardSetup | null {
  const stored = storedSetup.safeParse(JSON.parse(sessionStorage.getItem(KEY) ?? 'null'));
  if (stored.success && (returnedId === undefined || returnedId === stored.data.id)) return stored.data;
  return returnedId === undefined ? null : { id: returnedId, url: null, back: ACCOUNT };
}

export function forgetCardSetup(): void {
  sessionStorage.removeItem(KEY);
}
