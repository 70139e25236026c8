import { Injectable } from '@nestjs/common';
import { CardsService } from './cards.service.ts';
import type { HoldRecord } from './hold.record.ts';
import { type HoldRequest, type HoldResult, HoldsService } from './holds.service.ts';

/** What orders and workflows need of payments. Cards and webhooks have services of their own. */
@Injectable()
export class PaymentsService {
  constructor(
    private readonly holds: HoldsService,
    private readonly cards: CardsService,
  ) {}

  /** @throws PaymentError `no_card`, `card_expired` where an order could not be charged. */
  async assertReadyToCharge(accountId: number): Promise<void> {
    await this.cards.chargeable(accountId);
  }

  /** See {@link HoldsService.hold}. */
  hold(request: HoldRequest): Promise<HoldResult> {
    return this.holds.hold(request);
  }

  /** See {@link HoldsService.capture}. */
  capture(orderId: number): Promise<{ capturedMinor: number }> {
    return this.holds.capture(orderId);
  }

  /** See {@link HoldsService.release}. */
  release(orderId: number): Promise<void> {
    return this.holds.release(orderId);
  }

  /** The hold of an order as last seen, for waiting on `requires_action` and for operators. */
  holdOf(orderId: number): Promise<HoldRecord | undefined> {
    return this.holds.find(orderId);
  }
}
