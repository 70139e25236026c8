import Stripe from 'stripe';
import { sleep } from '#libs/kernel';
import { PaymentError, type PaymentErrorCode } from '../payments.errors.ts';
import type { Keyed } from '../port-common.ts';
import { isMissing, paymentErrorOf } from './errors.ts';

const FIRST_WAIT_MILLISECONDS = 250;

/** Calls to Stripe: repeated where only the rate was too high, and with errors in our words. */
export class StripeCaller {
  readonly stripe: Stripe;
  readonly #retries: number;

  constructor(stripe: Stripe, retries: number) {
    this.stripe = stripe;
    this.#retries = retries;
  }

  /** Repeats what was refused for its rate alone, which Stripe's client does not. @throws PaymentError. */
  async call<T>(run: (stripe: Stripe) => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await run(this.stripe);
      } catch (error) {
        const isRateLimited = error instanceof Stripe.errors.StripeRateLimitError;
        if (!isRateLimited || attempt >= this.#retries) throw paymentErrorOf(error);
        await sleep(FIRST_WAIT_MILLISECONDS * 2 ** attempt * (0.75 + Math.random() / 2));
      }
    }
  }

  /** The same for one object, whose absence has a code of its own. */
  find<T>(code: PaymentErrorCode, id: string, run: (stripe: Stripe) => Promise<T>): Promise<T> {
    return this.call(async (stripe) => {
      try {
        return await run(stripe);
      } catch (error) {
        if (!isMissing(error)) throw error;
        throw new PaymentError(code, `The payment provider does not know ${id}.`);
      }
    });
  }

  /** A list, page after page; each page is a call. */
  async *each<T extends { id: string }, R>(
    page: (stripe: Stripe, cursor: { limit: number; starting_after?: string }) => Promise<Stripe.ApiList<T>>,
    map: (object: T) => R,
  ): AsyncIterable<R> {
    let last: string | undefined;
    for (;;) {
      const cursor = { limit: 100, ...(last === undefined ? {} : { starting_after: last }) };
      const { data, has_more } = await this.call((stripe) => page(stripe, cursor));
      yield* data.map(map);
      last = data.at(-1)?.id;
      if (!has_more || last === undefined) return;
    }
  }

  /** The first of a list that is wanted. */
  async first<T extends { id: string }, R>(
    page: (stripe: Stripe, cursor: { limit: number; starting_after?: string }) => Promise<Stripe.ApiList<T>>,
    isWanted: (object: T) => boolean,
    map: (object: T) => R,
  ): Promise<R | undefined> {
    for await (const object of this.each(page, (found) => found)) {
      if (isWanted(object)) return map(object);
    }
    return undefined;
  }
}

export function keyed(request: Keyed): { idempotencyKey: string } {
  return { idempotencyKey: request.idempotencyKey };
}

/** Stripe's `created` filter. */
export function createdSince(since: Date): { created: { gte: number } } {
  return { created: { gte: Math.floor(since.getTime() / 1000) } };
}
