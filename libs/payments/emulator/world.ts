import { randomBytes } from 'node:crypto';
import type { Fees } from './fees.ts';
import type { Kind, Kinds, StoredEvent } from './kinds.ts';
import { missing } from './problem.ts';
import type { Store } from './store.ts';

export const API_VERSION = '2026-10-28.endive';

const ALPHABET = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

/** An id in Stripe's manner: `pi_3f…`. */
export function stripeId(prefix: string, length = 24): string {
  return `${prefix}_${[...randomBytes(length)].map((byte) => ALPHABET[byte % ALPHABET.length]).join('')}`;
}

/** An id, or the object itself. What the store holds refers by id. */
export type Reference = string | { readonly id: string } | null;

export function idOf(reference: string | { readonly id: string }): string {
  return typeof reference === 'string' ? reference : reference.id;
}

/** What an event of one object brings about in another: a paid intent pays its invoice. */
export interface Reaction {
  readonly on: string;
  readonly run: (world: World, object: object) => void;
}

export function reaction<T extends object>(on: string, run: (world: World, object: T) => void): Reaction {
  return { on, run: (world, object) => run(world, object as T) };
}

/**
 * What every handler works on. Handlers are synchronous, so that each request sees and changes the world as if
 * it were alone.
 */
export class World {
  readonly store: Store;
  /** What is taken for payments and disputes. */
  readonly fees: Fees;
  /** How often all that is available is paid out; 0 for never. */
  readonly payoutEveryDays: number;
  /** Where browsers reach the hosted pages. Known once the server listens. */
  publicUrl = '';
  /** The API request being served, for the events that it causes. */
  request: StoredEvent['request'] = { id: null, idempotency_key: null };
  readonly #onEvent: (event: StoredEvent) => void;
  readonly #reactions: readonly Reaction[];

  constructor(
    store: Store,
    onEvent: (event: StoredEvent) => void,
    reactions: readonly Reaction[],
    money: { readonly fees: Fees; readonly payoutEveryDays: number },
  ) {
    this.store = store;
    this.fees = money.fees;
    this.payoutEveryDays = money.payoutEveryDays;
    this.#onEvent = onEvent;
    this.#reactions = reactions;
  }

  /** Unix seconds: by the customer's test clock where they have one, else by the emulator's, which may be moved. */
  now(customer?: Reference): number {
    const owner = customer ? this.store.get('customer', idOf(customer)) : undefined;
    const clock = owner?.test_clock && this.store.get('test_helpers.test_clock', idOf(owner.test_clock));
    if (clock) return clock.frozen_time;
    return Math.floor(Date.now() / 1000) + (this.store.get('clock', 'clock')?.offsetSeconds ?? 0);
  }

  /** Moves the emulator's clock to a moment; never back. */
  moveTo(unixSeconds: number): void {
    if (unixSeconds <= this.now()) return;
    this.store.put('clock', { id: 'clock', offsetSeconds: unixSeconds - Math.floor(Date.now() / 1000) });
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
    for (const reaction of this.#reactions) if (reaction.on === type) reaction.run(this, object);
  }
}
