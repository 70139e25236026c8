import type { DynamicModule } from '@nestjs/common';
import { type PaymentProvider, paymentsPorts } from '#libs/payments';
import { SagaStore, SagaStoreModule } from '#libs/saga';
import { orderPaymentsListener } from './order-payments.listener.ts';

/** Payments for an app, wired so that what happens to a hold reaches the order's workflow. */
export function orderPayments(provider: PaymentProvider): DynamicModule {
  return paymentsPorts({
    provider,
    imports: [SagaStoreModule],
    listener: { inject: [SagaStore], useFactory: orderPaymentsListener },
  });
}
