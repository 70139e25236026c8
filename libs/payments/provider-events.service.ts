import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Clock } from '#libs/kernel';
import { EventTeller, type StoredEvent } from './event-teller.service.ts';
import { HoldsService } from './holds.service.ts';
import { MONEY_CLOCK, PAYMENT_PROVIDER } from './payments.tokens.ts';
import type { PaymentProvider, ProviderEvent } from './port.ts';

interface DueEvent extends StoredEvent {
  readonly tries: number;
}

interface QuietHold {
  readonly orderId: number;
  readonly providerId: string | null;
  readonly isReleased: boolean;
}

export interface RepairReport {
  /** Events that no webhook had brought. */
  readonly found: number;
  /** Open holds that were looked at. */
  readonly refreshed: number;
  /** Open holds that could not be looked at; the next sweep tries them again. */
  readonly failed: number;
}

/** How long one worker may take over an event before another may try. */
const LEASE_SECONDS = 60;
const FIRST_RETRY_SECONDS = 5;
const LAST_RETRY_SECONDS = 3600;
const DAY_MILLISECONDS = 86_400_000;
/** The provider keeps events for so long. */
const KEPT_DAYS = 30;
/** An event may be listed so long after it happened, and clocks may differ. */
const OVERLAP_MILLISECONDS = 3_600_000;
/** Events that are stored at a time. */
const PAGE = 100;
/** A hold that has not moved for so long is looked at by the sweep. */
const QUIET_SECONDS = 60;

/**
 * Events of the provider: stored first, then acted on by fetching what they are about. So doubles, losses and any
 * order of arrival come to the same end.
 */
@Injectable()
export class ProviderEvents {
  constructor(
    private readonly dataSource: DataSource,
    private readonly holds: HoldsService,
    private readonly teller: EventTeller,
    @Inject(PAYMENT_PROVIDER) private readonly provider: PaymentProvider,
    @Inject(MONEY_CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * Takes a webhook: the bytes as received and the signature's header. Answer 200 when it returns; what it means
   * is worked out by `processDue`. @throws PaymentError `webhook_signature_invalid` (answer 400).
   */
  async receive(rawBody: Buffer, signature: string): Promise<{ eventId: string; isNew: boolean }> {
    const event = this.provider.verifyWebhook(rawBody, signature);
    return { eventId: event.eventId, isNew: (await this.#store([event], rawBody.toString('utf8'))) > 0 };
  }

  /** Works off events that are due, each by one worker at a time. Answers how many were tried. */
  async processDue(limit = 100): Promise<number> {
    for (let count = 0; count < limit; count += 1) {
      const event = await this.#take();
      if (!event) return count;
      await this.#try(event);
    }
    return limit;
  }

  /**
   * Finds what webhooks lost: events since the last sweep, and holds that have not moved for `quietSeconds` (60
   * unless told). `isFull` looks at all 30 days that the provider keeps. Run it every minute or so, and in full
   * once a day. @throws PaymentError `provider_unavailable`: nothing is skipped, the next sweep begins there too.
   */
  async repair(options: { quietSeconds?: number; isFull?: boolean } = {}): Promise<RepairReport> {
    const now = this.clock.now();
    const oldest = new Date(now.getTime() - KEPT_DAYS * DAY_MILLISECONDS);
    let found = 0;
    const events = this.provider.listEvents(options.isFull ? oldest : await this.#since(now));
    for await (const listed of inPages(events, PAGE)) found += await this.#store(listed, null);
    await this.#sweptTo(now);
    await this.processDue();
    return { found, ...(await this.#lookAtHolds(options.quietSeconds ?? QUIET_SECONDS)) };
  }

  /** Refreshes open holds, and finishes releases that were asked for and cut short. */
  async #lookAtHolds(quietSeconds: number): Promise<Omit<RepairReport, 'found'>> {
    const quiet = await this.dataSource.query<QuietHold[]>(
      `SELECT order_id AS "orderId", provider_id AS "providerId",
         release_requested_at IS NOT NULL AS "isReleased" FROM holds
       WHERE (status IN ('requested', 'requires_action', 'authorized')
              OR (status = 'captured' AND refunded_minor < captured_minor AND release_requested_at IS NOT NULL))
         AND greatest(updated_at, release_requested_at) <= now() - make_interval(secs => $1)
       ORDER BY updated_at LIMIT 500`,
      [quietSeconds],
    );
    let failed = 0;
    for (const hold of quiet) {
      await this.#lookAt(hold).catch(() => {
        failed += 1;
      });
    }
    return { refreshed: quiet.length - failed, failed };
  }

  async #lookAt(hold: QuietHold): Promise<void> {
    if (hold.isReleased) await this.holds.release(hold.orderId);
    else if (hold.providerId) await this.holds.refresh(hold.providerId);
  }

  /** Answers how many were not known yet. Nobody waits for an event without a meaning to us. */
  async #store(events: readonly ProviderEvent[], payload: string | null): Promise<number> {
    const inserted = await this.dataSource.query<unknown[]>(
      `INSERT INTO stripe_events (id, type, subject_kind, subject_id, payload, occurred_at, processed_at)
       SELECT id, type, kind, subject_id, $1, occurred_at, CASE WHEN kind = 'other' THEN now() END
       FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
         AS event (id, type, kind, subject_id, occurred_at)
       ON CONFLICT (id) DO NOTHING RETURNING id`,
      [
        payload,
        events.map(({ eventId }) => eventId),
        events.map(({ type }) => type),
        events.map(({ subject }) => subject.kind),
        events.map(({ subject }) => ('id' in subject ? subject.id : null)),
        events.map(({ createdAt }) => createdAt),
      ],
    );
    return inserted.length;
  }

  async #take(): Promise<DueEvent | undefined> {
    const [[event]] = await this.dataSource.query<[DueEvent[], number]>(
      `UPDATE stripe_events SET tries = tries + 1, next_try_at = now() + make_interval(secs => $1)
       WHERE id = (SELECT id FROM stripe_events WHERE processed_at IS NULL AND next_try_at <= now()
                   ORDER BY next_try_at LIMIT 1 FOR UPDATE SKIP LOCKED)
       RETURNING id, type, subject_kind AS "subjectKind", subject_id AS "subjectId", tries`,
      [LEASE_SECONDS],
    );
    return event;
  }

  async #try(event: DueEvent): Promise<void> {
    try {
      await this.teller.handle(event);
    } catch (error) {
      const wait = Math.min(FIRST_RETRY_SECONDS * 2 ** (event.tries - 1), LAST_RETRY_SECONDS);
      await this.dataSource.query(
        'UPDATE stripe_events SET error = $2, next_try_at = now() + make_interval(secs => $3) WHERE id = $1',
        [event.id, error instanceof Error ? error.message : String(error), wait],
      );
    }
  }

  /** Where the last sweep began, and some time before it for what overtook it; all that is kept at first. */
  async #since(now: Date): Promise<Date> {
    const [last] = await this.dataSource.query<{ at: Date }[]>('SELECT swept_to AS at FROM provider_sweeps');
    const oldest = now.getTime() - KEPT_DAYS * DAY_MILLISECONDS;
    return new Date(Math.max(oldest, (last?.at.getTime() ?? 0) - OVERLAP_MILLISECONDS));
  }

  async #sweptTo(moment: Date): Promise<void> {
    await this.dataSource.query(
      `INSERT INTO provider_sweeps (swept_to) VALUES ($1)
       ON CONFLICT (is_only) DO UPDATE SET swept_to = greatest(provider_sweeps.swept_to, $1)`,
      [moment],
    );
  }
}

async function* inPages<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let page: T[] = [];
  for await (const item of items) {
    page.push(item);
    if (page.length < size) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}
