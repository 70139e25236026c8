import type { DynamicModule } from '@nestjs/common';
import { systemClock } from '#libs/kernel';
import { type PaymentProvider, paymentsPorts } from '#libs/payments';
import { FindingsService, PlacementModule } from '#libs/placement';
import { SagaStore, SagaStoreModule } from '#libs/saga';
import { moneyListener } from './order-payments.listener.ts';

/** Payments for an app, wired so that what happens to them reaches the books, and orders' workflows. */
export function orderPayments(provider: PaymentProvider): DynamicModule {
  return paymentsPorts({
    provider,
    imports: [SagaStoreModule, PlacementModule],
    listener: {
      inject: [SagaStore, FindingsService],
      useFactory: (sagas: SagaStore, findings: FindingsService) =>
        moneyListener({ provider, sagas, findings, clock: systemClock }),
    },
  });
}
