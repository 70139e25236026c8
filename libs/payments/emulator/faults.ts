import { z } from 'zod';

/**
 * What can go wrong with a call. `before`: nothing happened; `after`: it happened, and the answer is lost.
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
  ]),
  times: z.int().min(1).max(10_000).default(1),
  milliseconds: z.int().min(0).max(60_000).default(200),
});

const webhookFault = z.strictObject({
  /** An event type, or `*`. */
  match: z.string().default('*'),
  effect: z.enum(['lose', 'duplicate', 'delay', 'reorder']),
  times: z.int().min(1).max(10_000).default(1),
  milliseconds: z.int().min(0).max(60_000).default(500),
});

export const faultsSchema = z.strictObject({
  api: z.array(apiFault).default([]),
  webhooks: z.array(webhookFault).default([]),
});

export type FaultPlan = z.input<typeof faultsSchema>;
export type ApiFault = z.infer<typeof apiFault>;
export type WebhookFault = z.infer<typeof webhookFault>;

/** The faults that are still to happen, in the order in which they were asked for. */
export class Faults {
  #api: ApiFault[] = [];
  #webhooks: WebhookFault[] = [];

  /** @throws ZodError */
  add(plan: FaultPlan): void {
    const { api, webhooks } = faultsSchema.parse(plan);
    this.#api.push(...api);
    this.#webhooks.push(...webhooks);
  }

  clear(): void {
    this.#api = [];
    this.#webhooks = [];
  }

  pending() {
    return { api: [...this.#api], webhooks: [...this.#webhooks] };
  }

  /** `route` is `METHOD /path/:id`. */
  takeApi(route: string): ApiFault | undefined {
    return take(this.#api, route);
  }

  takeWebhook(type: string): WebhookFault | undefined {
    return take(this.#webhooks, type);
  }
}

function take<F extends { match: string; times: number }>(faults: F[], name: string): F | undefined {
  const index = faults.findIndex((fault) => fault.match === '*' || fault.match === name);
  const fault = faults[index];
  if (!fault) return undefined;
  fault.times -= 1;
  if (fault.times === 0) faults.splice(index, 1);
  return { ...fault };
}
