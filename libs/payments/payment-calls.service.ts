import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { PaymentError } from './payments.errors.ts';

export type CallKind =
  | 'create_customer'
  | 'open_card_setup'
  | 'default_card'
  | 'detach_card'
  | 'open_hold'
  | 'authorize_hold'
  | 'capture_hold'
  | 'cancel_hold'
  | 'refund_hold'
  | 'create_invoice'
  | 'add_invoice_line'
  | 'finalize_invoice'
  | 'pay_invoice'
  | 'settle_invoice'
  | 'send_invoice'
  | 'void_invoice'
  | 'write_off_invoice'
  | 'discard_invoice'
  | 'open_top_up'
  | 'cancel_top_up'
  | 'open_payment'
  | 'confirm_payment'
  | 'cancel_payment'
  | 'refund_payment'
  | 'accept_dispute'
  | 'change_balance'
  | 'open_portal'
  | 'delete_customer';

interface CallRow<R> {
  readonly key: string;
  readonly attempt: number;
  readonly request: R;
  readonly isSpent: boolean;
  /** The provider may not remember the key any more. */
  readonly isOld: boolean;
}

/** Providers keep keys for a day; clocks may differ, and a call may have waited before it was made. */
const KEYS_KEPT_HOURS = 20;

/**
 * Calls that change something at the provider. The key and the request are committed before the call, so that
 * after any crash the same call can be made again and has its effect once. A key follows from what the call is
 * for, so that even a database that was put back from a copy asks with the same one.
 */
@Injectable()
export class PaymentCalls {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * Makes, or makes again, the one call of `kind` for `subjectId`. A repeated call sends the request of the first
   * one, whatever `request` says now. A new key is taken only when the provider answered the old one with a
   * failure of its own, which it would repeat for ever; every kind of call is safe then, because the provider's
   * object was found in its own state first.
   * Where that is not so, `find` looks before the new key is used whether the old one had its effect after all; and so
   * it does where a call is repeated so late that its key may have been forgotten.
   * @throws PaymentError of the call.
   */
  async make<R extends object, T>(
    kind: CallKind,
    subjectId: number,
    request: R,
    call: (request: R & { idempotencyKey: string }) => Promise<T>,
    find?: () => Promise<T | undefined>,
  ): Promise<T> {
    const row = await this.#prepare(kind, subjectId, request);
    try {
      const found = row.attempt > 1 || row.isOld ? await find?.() : undefined;
      if (found !== undefined) {
        await this.#finish(row.key, null, false);
        return found;
      }
      const answer = await call({ ...row.request, idempotencyKey: row.key });
      await this.#finish(row.key, null, false);
      return answer;
    } catch (error) {
      if (error instanceof PaymentError) await this.#finish(row.key, error.code, isSpentBy(error));
      throw error;
    }
  }

  async #prepare<R extends object>(kind: CallKind, subjectId: number, request: R): Promise<CallRow<R>> {
    const last = await this.#last<R>(kind, subjectId);
    if (last && !last.isSpent) return last;
    const attempt = (last?.attempt ?? 0) + 1;
    await this.dataSource.query(
      `INSERT INTO payment_calls (idempotency_key, kind, subject_id, attempt, request, begun_at)
       VALUES ($1, $2, $3, $4, $5, money_now())
       ON CONFLICT DO NOTHING`,
      [`servery-${kind}-${subjectId}-${attempt}`, kind, subjectId, attempt, last?.request ?? request],
    );
    return (await this.#last<R>(kind, subjectId)) as CallRow<R>;
  }

  async #last<R>(kind: CallKind, subjectId: number): Promise<CallRow<R> | undefined> {
    const [row] = await this.dataSource.query<CallRow<R>[]>(
      `SELECT idempotency_key AS key, attempt, request, is_spent AS "isSpent",
              begun_at < money_now() - make_interval(hours => ${KEYS_KEPT_HOURS}) AS "isOld"
       FROM payment_calls
       WHERE kind = $1 AND subject_id = $2 ORDER BY attempt DESC LIMIT 1`,
      [kind, subjectId],
    );
    return row;
  }

  async #finish(key: string, errorCode: string | null, isSpent: boolean): Promise<void> {
    await this.dataSource.query(
      'UPDATE payment_calls SET answered_at = now(), error_code = $2, is_spent = $3 WHERE idempotency_key = $1',
      [key, errorCode, isSpent],
    );
  }
}

/** Whether the provider's idempotency would answer this failure again. */
function isSpentBy(error: PaymentError): boolean {
  return error.code === 'provider_refused' || error.details.isAnswered === true;
}
