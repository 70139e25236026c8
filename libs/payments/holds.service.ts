import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { type Currency, newId } from '#libs/kernel';
import { CardsService } from './cards.service.ts';
import {
  HOLD_COLUMNS,
  type HoldRecord,
  holdOfOrder,
  insertHold,
  requestRelease,
  writeSeen,
} from './hold.record.ts';
import { PaymentCalls } from './payment-calls.service.ts';
import { DECLINE_ADVICE, type DeclineCode, PaymentError } from './payments.errors.ts';
import { type MovedMoney, PAYMENTS_LISTENER, type PaymentsListener } from './payments.listener.ts';
import { PAYMENT_PROVIDER } from './payments.tokens.ts';
import type { Hold, PaymentProvider } from './port.ts';

export interface HoldRequest {
  readonly orderId: number;
  readonly accountId: number;
  /** 50 or more. */
  readonly amountMinor: number;
  readonly currency: Currency;
  /** Shown to the customer by the provider: `Servery order 1234`. */
  readonly description: string;
  /** Given when the customer is there to confirm with their bank. */
  readonly returnUrl?: string;
}

/** What became of a hold that was asked for. */
export type HoldResult =
  | { readonly status: 'authorized' }
  | { readonly status: 'requires_action'; readonly actionUrl: string | null }
  | { readonly status: 'declined'; readonly code: DeclineCode; readonly advice: string };

/** The least that the provider holds. */
const LEAST_MINOR = 50;

/**
 * The hold of an order: one at most, and each method may be repeated after a crash at any point.
 *
 * What makes it safe: money is asked for only when the hold's provider id is stored; every call has a stored key;
 * `release` first writes that nothing may be authorized or captured any more; and what the provider says is
 * written in one transaction with what follows from it.
 */
@Injectable()
export class HoldsService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly calls: PaymentCalls,
    private readonly cards: CardsService,
    @Inject(PAYMENT_PROVIDER) private readonly provider: PaymentProvider,
    @Inject(PAYMENTS_LISTENER) private readonly listener: PaymentsListener,
  ) {}

  /**
   * Sets money aside on the account's default card. A decline is an answer.
   * @throws PaymentError `amount_invalid`; `no_card` and `card_expired` before anything is asked for;
   *   `hold_not_open` when the order's hold was released; `provider_unavailable` (repeat it).
   */
  async hold(request: HoldRequest): Promise<HoldResult> {
    const row = await this.#request(request);
    if (row.releaseRequestedAt) throw released(row.orderId);
    if (row.status !== 'requested') return resultOf(row);
    const opened = row.providerId ? row : await this.#open(row, request.description);
    if (opened.status !== 'requested') return resultOf(opened);
    const asked = {
      holdId: String(opened.providerId),
      ...(request.returnUrl ? { returnUrl: request.returnUrl } : {}),
    };
    const seen = await this.calls.make('authorize_hold', row.id, asked, (call) =>
      this.provider.authorizeHold(call),
    );
    return resultOf((await this.apply(seen)) ?? opened);
  }

  /**
   * Takes what is held for an order; `onCaptured` is told once.
   * @throws PaymentError `hold_not_found`, `hold_not_open`, `hold_expired`, `provider_unavailable` (repeat it).
   */
  async capture(orderId: number): Promise<{ capturedMinor: number }> {
    const row = await this.#current(orderId);
    if (row.releaseRequestedAt) throw released(orderId);
    if (row.status === 'captured') return { capturedMinor: row.capturedMinor };
    if (row.status !== 'authorized' || !row.providerId) throw notHeld(row);
    const asked = { holdId: row.providerId, amountMinor: row.amountMinor };
    const seen = await this.calls.make('capture_hold', row.id, asked, (call) =>
      this.provider.captureHold(call),
    );
    const after = (await this.apply(seen)) ?? row;
    if (after.status !== 'captured') throw notHeld(after);
    return { capturedMinor: after.capturedMinor };
  }

  /**
   * Lets go of an order's hold, whatever became of it: cancelled if open, refunded in full if captured. Success
   * where there is nothing to release. @throws PaymentError `provider_unavailable` (repeat it).
   */
  async release(orderId: number): Promise<void> {
    const row = await this.dataSource.transaction((manager) => requestRelease(manager, orderId));
    if (!row) return;
    if (row.status === 'cancelled') return;
    if (row.status === 'captured') return this.#refund(row);
    const holdId = row.providerId ?? (await this.#findUnstored(row));
    if (!holdId) return this.#markCancelled(row.id);
    const after = await this.#cancel(row.id, holdId);
    if (after?.status === 'captured') await this.#refund(after);
  }

  /** The hold of an order as we know it. */
  find(orderId: number): Promise<HoldRecord | undefined> {
    return holdOfOrder(this.dataSource.manager, orderId);
  }

  /** Fetches a hold and acts on what is true now. Holds that are not ours are left alone. */
  async refresh(providerId: string): Promise<HoldRecord | undefined> {
    const sql = 'SELECT 1 FROM holds WHERE provider_id = $1';
    const known = await this.dataSource.query<unknown[]>(sql, [providerId]);
    return known.length === 0 ? undefined : this.apply(await this.provider.fetchHold(providerId));
  }

  /** Writes what was seen at the provider, and tells the listener what is new, in one transaction. */
  apply(seen: Hold): Promise<HoldRecord | undefined> {
    return this.dataSource.transaction(async (manager) => {
      const sql = `SELECT ${HOLD_COLUMNS} FROM holds WHERE provider_id = $1 FOR UPDATE`;
      const [before] = await manager.query<HoldRecord[]>(sql, [seen.holdId]);
      if (!before) return undefined;
      const after = await writeSeen(manager, before, seen);
      await this.#tell(manager, before, after);
      return after;
    });
  }

  async #tell(manager: EntityManager, before: HoldRecord, after: HoldRecord): Promise<void> {
    const moved = (amountMinor: number): MovedMoney => ({
      accountId: after.accountId,
      orderId: after.orderId,
      amountMinor,
      currency: after.currency,
      providerId: String(after.providerId),
    });
    const captured = after.capturedMinor - before.capturedMinor;
    const refunded = after.refundedMinor - before.refundedMinor;
    if (captured > 0) await this.listener.onCaptured(manager, moved(captured));
    if (refunded > 0) await this.listener.onRefunded(manager, moved(refunded));
    if (after.status !== before.status) {
      await this.listener.onHoldChanged(manager, { orderId: after.orderId, status: after.status });
    }
  }

  /** The order's row, made now if it is the first time. The card is chosen here and stays. */
  async #request(request: HoldRequest): Promise<HoldRecord> {
    const { orderId, accountId, amountMinor, currency } = request;
    if (!Number.isSafeInteger(amountMinor) || amountMinor < LEAST_MINOR) {
      const message = `A hold needs a whole amount of ${LEAST_MINOR} or more, in the minor unit.`;
      throw new PaymentError('amount_invalid', message);
    }
    const known = await this.find(orderId);
    if (known) return sameRequest(known, request);
    const card = await this.cards.chargeable(accountId);
    const hold = { ...card, id: newId(), accountId, orderId, amountMinor, currency };
    await this.dataSource.transaction((manager) => insertHold(manager, hold));
    const made = await this.find(orderId);
    if (!made) throw released(orderId);
    return sameRequest(made, request);
  }

  /** Prepares the hold at the provider and stores its id, unless it was released meanwhile. */
  async #open(row: HoldRecord, description: string): Promise<HoldRecord> {
    const { accountId, orderId, customerId, cardId, amountMinor, currency } = row;
    const asked = { accountId, orderId, customerId, cardId, amountMinor, currency, description };
    try {
      const seen = await this.calls.make('open_hold', row.id, asked, (call) => this.provider.openHold(call));
      const sql = `UPDATE holds SET provider_id = $2, updated_at = now()
        WHERE id = $1 AND release_requested_at IS NULL AND (provider_id IS NULL OR provider_id = $2)
        RETURNING ${HOLD_COLUMNS}`;
      const [[after]] = await this.dataSource.query<[HoldRecord[], number]>(sql, [row.id, seen.holdId]);
      if (after) return after;
    } catch (error) {
      if (error instanceof PaymentError && error.details.param === 'payment_method') {
        return this.#decline(row.id, 'no_card');
      }
      throw error;
    }
    const now = await this.#current(orderId);
    if (now.releaseRequestedAt || !now.providerId) throw released(orderId);
    return now;
  }

  /** The card was taken away between the order and its hold. */
  async #decline(id: number, code: DeclineCode): Promise<HoldRecord> {
    const sql = `UPDATE holds SET status = 'declined', failure_code = $2, updated_at = now()
      WHERE id = $1 AND status = 'requested' RETURNING ${HOLD_COLUMNS}`;
    const [[row]] = await this.dataSource.query<[HoldRecord[], number]>(sql, [id, code]);
    if (!row) throw new PaymentError('hold_not_open', 'The hold changed meanwhile.');
    return row;
  }

  /**
   * The provider's id of a hold whose answer was lost, by asking again with the same key. Such a hold asked for
   * no money, so where the provider is silent it may stay behind.
   */
  async #findUnstored(row: HoldRecord): Promise<string | undefined> {
    const sql = `SELECT request FROM payment_calls WHERE kind = 'open_hold' AND subject_id = $1`;
    const [call] = await this.dataSource.query<{ request: object }[]>(sql, [row.id]);
    if (!call) return undefined;
    try {
      const { accountId, orderId, customerId, cardId, amountMinor, currency } = row;
      const asked = { accountId, orderId, customerId, cardId, amountMinor, currency, description: '' };
      const seen = await this.calls.make('open_hold', row.id, asked, (again) =>
        this.provider.openHold(again),
      );
      await this.dataSource.query('UPDATE holds SET provider_id = $2 WHERE id = $1', [row.id, seen.holdId]);
      return seen.holdId;
    } catch (error) {
      if (error instanceof PaymentError) return undefined;
      throw error;
    }
  }

  async #cancel(rowId: number, holdId: string): Promise<HoldRecord | undefined> {
    try {
      const seen = await this.calls.make('cancel_hold', rowId, { holdId }, (call) =>
        this.provider.cancelHold(call),
      );
      return await this.apply(seen);
    } catch (error) {
      if (error instanceof PaymentError && error.code === 'hold_not_open') return this.refresh(holdId);
      throw error;
    }
  }

  async #refund(row: HoldRecord): Promise<void> {
    const now = (await this.refresh(String(row.providerId))) ?? row;
    const amountMinor = now.capturedMinor - now.refundedMinor;
    if (amountMinor === 0) return;
    const asked = { holdId: String(row.providerId), amountMinor };
    await this.apply(
      await this.calls.make('refund_hold', row.id, asked, (call) => this.provider.refundHold(call)),
    );
  }

  async #markCancelled(id: number): Promise<void> {
    await this.dataSource.query(
      `UPDATE holds SET status = 'cancelled', updated_at = now() WHERE id = $1 AND status = 'requested'`,
      [id],
    );
  }

  /** The row, brought up to date with the provider where it may lag. @throws PaymentError `hold_not_found`. */
  async #current(orderId: number): Promise<HoldRecord> {
    const row = await this.find(orderId);
    if (!row) throw new PaymentError('hold_not_found', `Order ${orderId} has no hold.`);
    const mayLag = row.providerId && (row.status === 'requested' || row.status === 'requires_action');
    return (mayLag ? await this.refresh(String(row.providerId)) : undefined) ?? row;
  }
}

function sameRequest(row: HoldRecord, request: HoldRequest): HoldRecord {
  if (row.amountMinor === request.amountMinor && row.currency === request.currency) return row;
  throw new PaymentError('amount_invalid', `Order ${row.orderId} has a hold of another amount.`);
}

function resultOf(row: HoldRecord): HoldResult {
  if (row.status === 'authorized' || row.status === 'captured') return { status: 'authorized' };
  if (row.status === 'requires_action') return { status: 'requires_action', actionUrl: row.actionUrl };
  if (row.status === 'declined') {
    const code = row.failureCode ?? 'card_declined';
    return { status: 'declined', code, advice: DECLINE_ADVICE[code] };
  }
  throw released(row.orderId);
}

function released(orderId: number): PaymentError {
  return new PaymentError('hold_not_open', `The hold of order ${orderId} was released.`);
}

function notHeld(row: HoldRecord): PaymentError {
  if (row.failureCode) return new PaymentError(row.failureCode, DECLINE_ADVICE[row.failureCode]);
  return new PaymentError('hold_not_open', `Nothing is held for order ${row.orderId} (${row.status}).`);
}
