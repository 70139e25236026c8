import { z } from 'zod';
import { newIdempotencyKey } from './api/client.ts';

const draft = z.object({
  product: z.string(),
  serverType: z.string(),
  name: z.string(),
  access: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('password') }),
    z.object({ kind: z.literal('saved_key'), keyId: z.number() }),
    z.object({ kind: z.literal('new_key'), name: z.string(), publicKey: z.string() }),
  ]),
  /** Ids of volumes that it has from the start, and whether they are mounted. */
  volumes: z.array(z.number()).default([]),
  automount: z.boolean().default(true),
  /** One key for one intended order, so that a double click or a lost answer orders one server. */
  idempotencyKey: z.string(),
});

/** What a visitor has configured; it outlives signing up and the way to the card page and back. */
export type OrderDraft = z.infer<typeof draft>;
export type AccessChoice = OrderDraft['access'];

const KEY = 'servery.order-draft';

export function saveOrderDraft(content: Omit<OrderDraft, 'idempotencyKey'>): void {
  sessionStorage.setItem(KEY, JSON.stringify({ ...content, idempotencyKey: newIdempotencyKey() }));
}

/** The draft of this browser tab, or null where there is none that can be read. */
export function readOrderDraft(): OrderDraft | null {
  try {
    return draft.parse(JSON.parse(sessionStorage.getItem(KEY) ?? 'null'));
  } catch {
    return null;
  }
}

export function clearOrderDraft(): void {
  sessionStorage.removeItem(KEY);
}

/** Gives the draft a new key: an order that was refused may be tried again after its cause is mended. */
export function renewOrderDraft(): void {
  const current = readOrderDraft();
  if (current !== null) saveOrderDraft(current);
}
