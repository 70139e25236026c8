import { createHash } from 'node:crypto';
import { z } from 'zod';

/** How often: the next `times` calls, or each call with a `probability`, then for `times` of them or for ever. */
const frequency = {
  times: z.int().min(1).max(1_000_000).optional(),
  probability: z.number().gt(0).max(1).optional(),
};

/**
 * What can go wrong with a call. `before`: nothing happened; `after`: it happened, and the answer is lost.
 * `latency` comes before, `late_answer` after.
 * `error_500` is remembered by the idempotency key, as Stripe does; 429 and 409 are not.
 */
const apiFault = z.strictObject({
  /** `POST /v1/payment_intents/:id/capture`, or `*` for every call. */
  match: z.string(),
  effect: z.enum([
    'cut_before',
    'cut_after',
    'timeout_before',
    'timeout_after',
    'error_500',
    'error_500_after',
    'error_429',
    'error_409',
    'latency',
    'late_answer',
  ]),
  ...frequency,
  milliseconds: z.int().min(0).max(60_000).default(200),
});

const webhookFault = z.strictObject({
  /** An event type, or `*`. */
  match: z.string().default('*'),
  effect: z.enum(['lose', 'duplicate', 'delay', 'reorder']),
  ...frequency,
  milliseconds: z.int().min(0).max(60_000).default(500),
});

export const faultsSchema = z.strictObject({
  api: z.array(apiFault).default([]),
  webhooks: z.array(webhookFault).default([]),
  /** What chance is drawn from: the same seed and the same calls meet the same faults. */
  seed: z.int().min(0).optional(),
});

export type FaultPlan = z.input<typeof faultsSchema>;
type Frequency = { match: string; times?: number | undefined; probability?: number | undefined };
export type ApiFault = z.infer<typeof apiFault>;
export type WebhookFault = z.infer<typeof webhookFault>;

/** The faults that are still to happen, in the order in which they were asked for. */
export class Faults {
  #api: ApiFault[] = [];
  #webhooks: WebhookFault[] = [];
  #chance = new Chance(0);
  readonly #struck = new Map<string, number>();

  /** @throws ZodError */
  add(plan: FaultPlan): void {
    const { api, webhooks, seed } = faultsSchema.parse(plan);
    if (seed !== undefined) this.#chance = new Chance(seed);
    this.#api.push(...api.map(counted));
    this.#webhooks.push(...webhooks.map(counted));
  }

  clear(): void {
    this.#api = [];
    this.#webhooks = [];
  }

  pending() {
    return { api: [...this.#api], webhooks: [...this.#webhooks] };
  }

  /** How often each effect has struck so far. */
  struck(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#struck);
  }

  /** `route` is `METHOD /path/:id`. */
  takeApi(route: string): ApiFault | undefined {
    return this.#take(this.#api, route);
  }

  takeWebhook(type: string): WebhookFault | undefined {
    return this.#take(this.#webhooks, type);
  }

  #take<F extends Frequency & { effect: string }>(faults: F[], name: string): F | undefined {
    const matching = faults.filter(({ match }) => match === '*' || match === name);
    const fault = matching.find(
      ({ probability = 1 }) => probability === 1 || this.#chance.draw(name) < probability,
    );
    if (!fault) return undefined;
    this.#struck.set(fault.effect, (this.#struck.get(fault.effect) ?? 0) + 1);
    if (fault.times !== undefined) fault.times -= 1;
    if (fault.times === 0) faults.splice(faults.indexOf(fault), 1);
    return { ...fault };
  }
}

/** A fault without a probability happens once unless it is told how often. */
function counted<F extends Frequency>(fault: F): F {
  return fault.probability === undefined ? { ...fault, times: fault.times ?? 1 } : fault;
}

/**
 * Chance that can be replayed. Each name has draws of its own, so that what several clients do at once does not
 * depend on whose call came first, as long as their calls have other names.
 */
class Chance {
  readonly #seed: number;
  readonly #draws = new Map<string, number>();

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** From 0 to below 1. */
  draw(name: string): number {
    const count = (this.#draws.get(name) ?? 0) + 1;
    this.#draws.set(name, count);
    const digest = createHash('sha256').update(`${this.#seed} ${name} ${count}`).digest();
    return digest.readUInt32BE() / 2 ** 32;
  }
}
