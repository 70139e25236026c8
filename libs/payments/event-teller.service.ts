import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { CardsService } from './cards.service.ts';
import { type EventGroup, type EventType, eventGroupOf } from './event-types.ts';
import { HoldsService } from './holds.service.ts';
import { PAYMENTS_LISTENER, type PaymentsListener } from './payments.listener.ts';
import { PAYMENT_PROVIDER } from './payments.tokens.ts';
import type { EventSubject, PaymentProvider } from './port.ts';
import { takeTurn } from './turn.ts';

/** An event that was stored. */
export interface StoredEvent {
  readonly id: string;
  readonly type: string;
  readonly subjectKind: EventSubject['kind'];
  readonly subjectId: string | null;
}

/** An event about something, which means something. */
interface Subject {
  readonly eventId: string;
  readonly type: EventType;
  readonly kind: Exclude<EventSubject['kind'], 'other'>;
  readonly id: string;
}

/** Acts on an event by what its subject is now: first our own copies, then whoever listens. */
@Injectable()
export class EventTeller {
  constructor(
    private readonly dataSource: DataSource,
    private readonly holds: HoldsService,
    private readonly cards: CardsService,
    @Inject(PAYMENT_PROVIDER) private readonly provider: PaymentProvider,
    @Inject(PAYMENTS_LISTENER) private readonly listener: PaymentsListener,
  ) {}

  /**
   * Handles an event and marks it as handled. Several may handle one event at once: it is told once.
   * @throws PaymentError, or what the listener throws; the event is as it was then.
   */
  async handle(event: StoredEvent): Promise<void> {
    const subject = subjectOf(event);
    const isOwn = subject !== undefined && (await this.#mend(subject));
    await this.dataSource.transaction(async (manager) => {
      if (subject) await takeTurn(manager, subject);
      const sql = `UPDATE stripe_events SET processed_at = now(), error = NULL
        WHERE id = $1 AND processed_at IS NULL RETURNING id`;
      const [marked] = await manager.query<[unknown[], number]>(sql, [event.id]);
      if (subject && !isOwn && marked.length > 0) await this.#tell(manager, subject);
    });
  }

  /** Brings our own copies up to date. Answers whether nobody else need be told. */
  async #mend({ kind, id }: Subject): Promise<boolean> {
    switch (kind) {
      case 'payment':
        return (await this.holds.refresh(id)) !== undefined;
      case 'card_setup':
        await this.cards.settleSetup(id);
        return false;
      case 'customer':
        await this.cards.syncCustomer(id);
        return false;
      case 'card':
        await this.cards.syncOwnerOf(id);
        return false;
      default:
        return false;
    }
  }

  async #tell(manager: EntityManager, subject: Subject): Promise<void> {
    const { listener, provider } = this;
    const { eventId, id } = subject;
    if (subject.kind === 'invoice' && listener.onInvoice) {
      const invoice = await provider.invoices.fetch(id);
      await listener.onInvoice(manager, { eventId, type: typeIn('invoice', subject), invoice });
    } else if (subject.kind === 'payment' && listener.onPayment) {
      const payment = await provider.money.fetchPayment(id);
      if (payment.orderId !== undefined) return;
      await listener.onPayment(manager, { eventId, type: typeIn('payment', subject), payment });
    } else if (subject.kind === 'top_up' && listener.onTopUp) {
      const topUp = await provider.money.fetchTopUp(id);
      await listener.onTopUp(manager, { eventId, type: typeIn('checkout', subject), topUp });
    } else if (subject.kind === 'dispute' && listener.onDispute) {
      const dispute = await provider.money.fetchDispute(id);
      await listener.onDispute(manager, { eventId, type: typeIn('dispute', subject), dispute });
    } else if (subject.kind === 'refund' && listener.onRefund) {
      const refund = await provider.money.fetchRefund(id);
      await listener.onRefund(manager, { eventId, type: typeIn('refund', subject), refund });
    } else if (subject.kind === 'payout' && listener.onPayout) {
      const payout = await provider.balance.fetchPayout(id);
      await listener.onPayout(manager, { eventId, type: typeIn('payout', subject), payout });
    } else {
      await this.#tellOfCards(manager, subject);
    }
  }

  async #tellOfCards(manager: EntityManager, { eventId, type, kind, id }: Subject): Promise<void> {
    const accountId = await this.#accountOf(kind, id);
    if (accountId === undefined) return;
    const group = eventGroupOf(type);
    if (group === 'customer') {
      const told = { eventId, type: type as EventType<'customer'>, accountId, customerId: id };
      await this.cards.forgetCustomer(manager, accountId);
      await this.listener.onCustomerDeleted?.(manager, told);
    }
    if (group === 'cards' || group === 'checkout' || group === 'customer') {
      const told = { eventId, type: type as EventType<'cards' | 'checkout' | 'customer'>, accountId };
      await this.listener.onCardsChanged?.(manager, told);
    }
  }

  async #accountOf(kind: Subject['kind'], id: string): Promise<number | undefined> {
    if (kind === 'customer') return this.cards.accountOfCustomer(id);
    if (kind === 'card') return this.cards.accountOfCard(id);
    return kind === 'card_setup' ? this.cards.accountOfSetup(id) : undefined;
  }
}

function subjectOf({
  id: eventId,
  type,
  subjectKind: kind,
  subjectId: id,
}: StoredEvent): Subject | undefined {
  if (kind === 'other' || id === null || eventGroupOf(type) === undefined) return undefined;
  return { eventId, type: type as EventType, kind, id };
}

/** The type of an event whose subject says which group it is of. */
function typeIn<G extends EventGroup>(_group: G, { type }: Subject): EventType<G> {
  return type as EventType<G>;
}
