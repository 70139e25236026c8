import { Injectable } from '@nestjs/common';
import { CardsService } from './cards.service.ts';
import type { HoldRecord } from './hold.record.ts';
import { type HoldRequest, type HoldResult, HoldsService } from './holds.service.ts';
import { DECLINE_ADVICE } from './payments.errors.ts';

/** A hold, and in one sentence what its customer should do where it failed. */
export interface HoldView extends HoldRecord {
  readonly message: string | null;
}

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
  async holdOf(orderId: number): Promise<HoldView | undefined> {
    return viewOf(await this.holds.find(orderId));
  }

  /** The hold of an order as the provider has it now. @throws PaymentError `provider_unavailable` (repeat it). */
  async refreshHold(orderId: number): Promise<HoldView | undefined> {
    const row = await this.holds.find(orderId);
    return viewOf((row?.providerId ? await this.holds.refresh(row.providerId) : undefined) ?? row);
  }
}

function viewOf(row: HoldRecord | undefined): HoldView | undefined {
  return row && { ...row, message: row.failureCode && DECLINE_ADVICE[row.failureCode] };
}
