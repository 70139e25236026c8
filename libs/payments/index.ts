export { type CardSetupRequest, CardsService, type SavedCard } from './cards.service.ts';
export type { HoldRecord, HoldRowStatus } from './hold.record.ts';
export type { HoldRequest, HoldResult } from './holds.service.ts';
export * from './payments.errors.ts';
export type { MovedMoney, PaymentsListener } from './payments.listener.ts';
export { PaymentsModule, type PaymentsPorts, paymentsPorts } from './payments.module.ts';
export { type HoldView, PaymentsService } from './payments.service.ts';
export * from './port.ts';
export { ProviderEvents, type RepairReport } from './provider-events.service.ts';
