export { type CardSetupRequest, CardsService, type SavedCard } from './cards.service.ts';
export { EVENT_TYPES, type EventGroup, type EventType, eventGroupOf } from './event-types.ts';
export type { HoldRecord, HoldRowStatus } from './hold.record.ts';
export type { HoldRequest, HoldResult } from './holds.service.ts';
export { MONEY_CLOCK_LOOK_MILLISECONDS, MoneyClock, moneyClockAhead, moveMoneyClock } from './money-clock.ts';
export { type CallKind, PaymentCalls } from './payment-calls.service.ts';
export * from './payments.errors.ts';
export type { MovedMoney, PaymentsListener } from './payments.listener.ts';
export { PaymentsModule, type PaymentsPorts, paymentsPorts } from './payments.module.ts';
export { type HoldView, PaymentsService } from './payments.service.ts';
export { MONEY_CLOCK, PAYMENT_PROVIDER } from './payments.tokens.ts';
export * from './port.ts';
export * from './port-balance.ts';
export * from './port-common.ts';
export * from './port-invoices.ts';
export * from './port-money.ts';
export type { ProviderEventsListener } from './provider-events.listener.ts';
export { ProviderEvents, type RepairReport } from './provider-events.service.ts';
export {
  isTopUp,
  noteTopUp,
  type TopUpRecord,
  type TopUpRequest,
  TopUpsService,
  topUpById,
  topUpOfReference,
  topUpReference,
} from './top-ups.service.ts';
export { takeTurn } from './turn.ts';
