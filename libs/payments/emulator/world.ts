import { randomBytes } from 'node:crypto';
import type { Kind, Kinds, StoredEvent } from './kinds.ts';
import { missing } from './problem.ts';
import type { Store } from './store.ts';

export const API_VERSION = '2026-10-28.endive';

const ALPHABET = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

/** An id in Stripe's manner: `pi_3f…`. */
export function stripeId(prefix: string, length = 24): string {
  return `${prefix}_${[...randomBytes(length)].map((byte) => ALPHABET[byte % ALPHABET.length]).join('')}`;
}

/**
 * What every handler works on. Handlers are synchronous, so that each request sees and changes the world as if
 * it were alone.
 */
export class World {
  readonly store: Store;
  /** Where browsers reach the hosted pages. Known once the server listens. */
  publicUrl = '';
  /** The API request being served, for the events that it causes. */
  request: StoredEvent['request'] = { id: null, idempotency_key: null };
  readonly #onEvent: (event: StoredEvent) => void;

  constructor(store: Store, onEvent: (event: StoredEvent) => void) {
    this.store = store;
    this.#onEvent = onEvent;
  }

  /** Unix seconds; the control route may move it forward. */
  now(): number {
    return Math.floor(Date.now() / 1000) + (this.store.get('clock', 'clock')?.offsetSeconds ?? 0);
  }

  /** @throws StripeProblem 404 `resource_missing`. */
  find<K extends Kind>(kind: K, id: string, param = 'id'): Kinds[K] {
    const object = this.store.get(kind, id);
    if (!object) throw missing(kind, id, param);
    return object;
  }

  /** Records an event with the object as it is now, and hands it to the deliverer. */
  emit(type: string, object: object): void {
    const event: StoredEvent = {
      id: stripeId('evt'),
      object: 'event',
      api_version: API_VERSION,
      created: this.now(),
      data: { object: structuredClone(object) },
      livemode: false,
      pending_webhooks: 1,
      request: this.request,
      type,
    };
    this.store.put('event', event);
    this.#onEvent(event);
  }
}
