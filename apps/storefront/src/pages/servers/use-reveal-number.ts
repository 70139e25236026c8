import { useState } from 'react';
import type { ServerWire } from '#libs/contracts';

/** Counts up when a secret that was shown is replaced: what is on the screen is then out of date. */
export function useRevealNumber(state: ServerWire['servery']['credentials']['state']): number {
  const [last, setLast] = useState({ state, number: 0 });
  if (state !== last.state)
    setLast({ state, number: last.state === 'revealed' ? last.number + 1 : last.number });
  return last.number;
}
