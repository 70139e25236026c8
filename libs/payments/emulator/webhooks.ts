import { createHmac } from 'node:crypto';
import type { Faults } from './faults.ts';
import type { Delivery, StoredEvent } from './kinds.ts';
import type { Store } from './store.ts';
import { WebhookSender } from './webhook-sender.ts';

export interface WebhookEndpoint {
  readonly url: string;
  readonly secret: string;
  /** Wait before the second try, which with Stripe is five minutes; the later ones shrink or grow with it. */
  readonly retryMilliseconds: number;
  /** The types that it has chosen; undefined for all. */
  readonly events: ReadonlySet<string> | undefined;
}

/** Stripe's waits before each further try: some in the first hours, then every twelve hours for three days. */
const WAIT_MINUTES = [5, 30, 120, 300, 600, 720, 720, 720, 720];
/** Requests under way at once. */
const MOST_AT_ONCE = 8;

/** Stripe's `Stripe-Signature` header, scheme v1: HMAC-SHA256 over `<unix seconds>.<body>`. */
export function signatureOf(body: string, secret: string, unixSeconds: number): string {
  const mac = createHmac('sha256', secret).update(`${unixSeconds}.${body}`).digest('hex');
  return `t=${unixSeconds},v1=${mac}`;
}

/** Sends events to the endpoint, in no promised order, until each is answered with 2xx or three days are over. */
export class Deliverer {
  readonly #store: Store;
  readonly #faults: Faults;
  readonly #endpoint: WebhookEndpoint | undefined;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #sender = new WebhookSender();
  #isClosed = false;
  readonly #running = new Set<Promise<void>>();
  readonly #queue: string[] = [];
  /** The events of the requests under way. */
  readonly #sent = new Set<string>();
  #held: StoredEvent[] = [];

  constructor(store: Store, faults: Faults, endpoint: WebhookEndpoint | undefined) {
    this.#store = store;
    this.#faults = faults;
    this.#endpoint = endpoint;
  }

  /** Takes up again what a former process left undelivered. */
  resume(): void {
    for (const delivery of this.#store.all('delivery')) {
      if (delivery.state === 'pending') this.#later(delivery.id, delivery.nextAt - Date.now());
    }
  }

  /** Called when an event comes to be, before its request is answered. */
  accept(event: StoredEvent): void {
    if (!this.#endpoint || this.#endpoint.events?.has(event.type) === false) return;
    const fault = this.#faults.takeWebhook(event.type);
    const state = fault?.effect === 'lose' ? 'lost' : 'pending';
    this.#store.put('delivery', { id: event.id, attempts: 0, nextAt: Date.now(), state });
    if (state === 'lost') return;
    if (fault?.effect === 'reorder') {
      this.#hold(event, fault.times === 0, fault.milliseconds);
      return;
    }
    this.#later(event.id, fault?.effect === 'delay' ? fault.milliseconds : 0);
    if (fault?.effect === 'duplicate') this.#later(event.id, 0);
  }

  /** The clock was moved: what waits to be sent again waits so much less. */
  hasten(seconds: number): void {
    if (seconds <= 0) return;
    for (const delivery of this.#store.all('delivery')) {
      if (delivery.state !== 'pending' || delivery.attempts === 0 || this.#sent.has(delivery.id)) continue;
      const nextAt = delivery.nextAt - seconds * 1000;
      this.#store.put('delivery', { ...delivery, nextAt });
      if (nextAt <= Date.now()) this.#later(delivery.id, 0);
    }
  }

  /** How many events still want to be answered. */
  pending(): number {
    return this.#store.all('delivery').filter((delivery) => delivery.state === 'pending').length;
  }

  /** Waits until everything that is to be sent now was sent, and answered or not. */
  async idle(): Promise<void> {
    while (this.#queue.length > 0 || this.#running.size > 0) {
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#running.size > 0) await Promise.race(this.#running);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#sender.close();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#queue.length = 0;
    await Promise.allSettled(this.#running);
  }

  /** Holds events back, to send them newest first when the last of them came or the time is over. */
  #hold(event: StoredEvent, isLast: boolean, milliseconds: number): void {
    this.#held.push(event);
    if (isLast) this.#letGo();
    else if (this.#held.length === 1) this.#timer(() => this.#letGo(), milliseconds);
  }

  #letGo(): void {
    const events = this.#held.reverse();
    this.#held = [];
    events.forEach((event, index) => {
      this.#later(event.id, index * 5);
    });
  }

  #later(id: string, milliseconds: number): void {
    if (milliseconds > 0) {
      this.#timer(() => this.#later(id, 0), milliseconds);
      return;
    }
    this.#queue.push(id);
    setImmediate(() => this.#next());
  }

  /** Sends what waits in the queue, some at once. */
  #next(): void {
    while (this.#running.size < MOST_AT_ONCE) {
      const id = this.#queue.shift();
      if (id === undefined || this.#isClosed) return;
      this.#sent.add(id);
      const sending = this.#send(id).finally(() => {
        this.#sent.delete(id);
        this.#running.delete(sending);
        this.#next();
      });
      this.#running.add(sending);
    }
  }

  #timer(run: () => void, milliseconds: number): void {
    if (this.#isClosed) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      run();
    }, milliseconds);
    this.#timers.add(timer);
  }

  async #send(id: string): Promise<void> {
    const event = this.#store.get('event', id);
    if (!event || !this.#endpoint) return;
    const isAnswered = await this.#post(this.#endpoint, JSON.stringify(event, null, 2));
    if (this.#isClosed) return;
    const delivery = this.#store.get('delivery', id);
    if (delivery?.state !== 'pending') return;
    this.#record(delivery, isAnswered, this.#endpoint.retryMilliseconds);
  }

  #record(delivery: Delivery, isAnswered: boolean, retryMilliseconds: number): void {
    const [first = 1] = WAIT_MINUTES;
    const minutes = WAIT_MINUTES[delivery.attempts];
    const state = isAnswered ? 'delivered' : minutes === undefined ? 'given_up' : 'pending';
    const wait = ((minutes ?? 0) / first) * retryMilliseconds;
    const attempts = delivery.attempts + 1;
    this.#store.put('delivery', { id: delivery.id, attempts, nextAt: Date.now() + wait, state });
    const event = this.#store.get('event', delivery.id);
    if (isAnswered && event) this.#store.put('event', { ...event, pending_webhooks: 0 });
    this.#store.commit();
    if (state === 'pending') this.#later(delivery.id, wait);
  }

  #post(endpoint: WebhookEndpoint, body: string): Promise<boolean> {
    return this.#sender.post(endpoint.url, body, {
      'content-type': 'application/json; charset=utf-8',
      'user-agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
      'stripe-signature': signatureOf(body, endpoint.secret, Math.floor(Date.now() / 1000)),
    });
  }
}
