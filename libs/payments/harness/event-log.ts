import type { DataSource, EntityManager } from 'typeorm';
import type { ProviderEventsListener } from '../provider-events.listener.ts';

/** One report that a listener was given, and kept in the transaction in which it was given. */
export interface LoggedEvent {
  readonly type: string;
  /** What its subject was when it was told. */
  readonly state: string;
}

/** A listener that keeps what it is told in a table, as billing would. */
export class EventLog {
  readonly #dataSource: DataSource;
  #failures = 0;

  private constructor(dataSource: DataSource) {
    this.#dataSource = dataSource;
  }

  static async create(dataSource: DataSource): Promise<EventLog> {
    await dataSource.query(`CREATE TABLE IF NOT EXISTS test_events
      (seq bigint GENERATED ALWAYS AS IDENTITY, event_id text, type text, subject text, state text)`);
    return new EventLog(dataSource);
  }

  /** The next reports are kept, and then refused. */
  failNext(times: number): void {
    this.#failures = times;
  }

  /** What was told about a subject, in the order in which it was told. */
  of(subject: string): Promise<LoggedEvent[]> {
    return this.#dataSource.query('SELECT type, state FROM test_events WHERE subject = $1 ORDER BY seq', [
      subject,
    ]);
  }

  /** Each event and how often it was told. */
  counts(): Promise<{ eventId: string; type: string; subject: string; times: number }[]> {
    return this.#dataSource.query(`SELECT event_id AS "eventId", type, subject, count(*)::int AS times
      FROM test_events GROUP BY event_id, type, subject`);
  }

  disputes(): Promise<(LoggedEvent & { subject: string })[]> {
    return this.#dataSource.query(
      "SELECT type, subject, state FROM test_events WHERE type LIKE 'charge.dispute.%' ORDER BY seq",
    );
  }

  get listener(): ProviderEventsListener {
    return {
      onInvoice: (manager, { eventId, type, invoice }) =>
        this.#keep(manager, eventId, type, invoice.invoiceId, invoice.status),
      onPayment: (manager, { eventId, type, payment }) => {
        const state =
          payment.refundedMinor > 0 ? `${payment.status} ${payment.refundedMinor}` : payment.status;
        return this.#keep(manager, eventId, type, payment.paymentId, state);
      },
      onTopUp: (manager, { eventId, type, topUp }) =>
        this.#keep(manager, eventId, type, topUp.topUpId, topUp.status),
      onDispute: (manager, { eventId, type, dispute }) =>
        this.#keep(manager, eventId, type, dispute.disputeId, dispute.status),
      onRefund: (manager, { eventId, type, refund }) =>
        this.#keep(manager, eventId, type, refund.refundId, refund.status),
      onPayout: (manager, { eventId, type, payout }) =>
        this.#keep(manager, eventId, type, payout.payoutId, payout.status),
      onCardsChanged: (manager, { eventId, type, accountId }) =>
        this.#keep(manager, eventId, type, `account ${accountId}`, 'changed'),
      onCustomerDeleted: (manager, { eventId, type, customerId }) =>
        this.#keep(manager, eventId, type, customerId, 'deleted'),
    };
  }

  async #keep(manager: EntityManager, ...row: [string, string, string, string]): Promise<void> {
    await manager.query(
      'INSERT INTO test_events (event_id, type, subject, state) VALUES ($1, $2, $3, $4)',
      row,
    );
    if (this.#failures === 0) return;
    this.#failures -= 1;
    throw new Error('told to fail');
  }
}
