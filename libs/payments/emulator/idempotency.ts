import { createHash } from 'node:crypto';
import { KEYS_KEPT_SECONDS } from './housekeeping.ts';
import type { SavedAnswer } from './kinds.ts';
import { StripeProblem } from './problem.ts';
import type { World } from './world.ts';

const MAX_KEY = 255;

/**
 * Stripe's idempotency: a key with the same request answers what it answered before; with another request it is
 * refused; while its first request runs it is in use.
 */
export class Idempotency {
  readonly #world: World;
  readonly #running = new Set<string>();

  constructor(world: World) {
    this.#world = world;
  }

  fingerprint(method: string, path: string, body: string): string {
    return createHash('sha256').update(`${method} ${path}\n${body}`).digest('hex');
  }

  /** The saved answer, if any; otherwise takes the key until `save` or `release`. @throws StripeProblem 400, 409. */
  claim(key: string, fingerprint: string): SavedAnswer | undefined {
    if (key.length > MAX_KEY) throw refused(400, 'The idempotency key is longer than 255 characters.');
    if (this.#running.has(key)) {
      throw refused(409, 'There is currently another in-progress request using this Idempotent Key.', IN_USE);
    }
    const saved = this.#world.store.get('answer', key);
    if (saved && saved.savedAt + KEYS_KEPT_SECONDS > this.#world.now()) {
      if (saved.fingerprint === fingerprint) return saved;
      throw refused(
        400,
        `Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '${key}' if you meant to execute a different request.`,
      );
    }
    this.#running.add(key);
    return undefined;
  }

  save(answer: Omit<SavedAnswer, 'savedAt'>): void {
    this.#world.store.put('answer', { ...answer, savedAt: this.#world.now() });
    this.#running.delete(answer.id);
  }

  /** Gives a key back whose request was refused before it began. */
  release(key: string): void {
    this.#running.delete(key);
  }
}

const IN_USE = 'idempotency_key_in_use';

function refused(status: number, message: string, code?: string): StripeProblem {
  return new StripeProblem(status, { type: 'idempotency_error', message, ...(code ? { code } : {}) });
}
