import type { DynamicModule } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Clock } from '#libs/kernel';
import { MONEY_CLOCK, MoneyClock, type PaymentProvider, paymentsPorts } from '#libs/payments';
import { FindingsService, PlacementModule } from '#libs/placement';
import { SagaStore, SagaStoreModule } from '#libs/saga';
import { moneyListener } from './order-payments.listener.ts';

/**
 * Payments for an app, wired so that what happens to them reaches the books, and orders' workflows.
 * @param isEmulated whether no real money can move: only then may the clock of money have been moved
 */
export function orderPayments(provider: PaymentProvider, isEmulated: boolean): DynamicModule {
  return paymentsPorts({
    provider,
    imports: [SagaStoreModule, PlacementModule],
    listener: {
      inject: [SagaStore, FindingsService, MONEY_CLOCK],
      useFactory: (sagas: SagaStore, findings: FindingsService, clock: Clock) =>
        moneyListener({ provider, sagas, findings, clock }),
    },
    clock: {
      inject: [DataSource],
      useFactory: (dataSource: DataSource) => MoneyClock.open(dataSource, isEmulated),
    },
  });
}
