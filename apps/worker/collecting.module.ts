import { Module } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Clock } from '#libs/kernel';
import {
  CardsService,
  MONEY_CLOCK,
  PAYMENT_PROVIDER,
  PaymentCalls,
  type PaymentProvider,
  PaymentsModule,
} from '#libs/payments';
import { FindingsService, PlacementModule } from '#libs/placement';
import { SagaStore } from '#libs/saga';
import type { CollectingDeps } from '#libs/workflows';

/** What the workflows of money work with: `CollectingDeps`. */
export const COLLECTING = Symbol('CollectingDeps');

@Module({
  imports: [PaymentsModule, PlacementModule],
  providers: [
    {
      provide: COLLECTING,
      inject: [
        DataSource,
        PAYMENT_PROVIDER,
        PaymentCalls,
        CardsService,
        SagaStore,
        FindingsService,
        MONEY_CLOCK,
      ],
      useFactory: (
        dataSource: DataSource,
        provider: PaymentProvider,
        calls: PaymentCalls,
        cards: CardsService,
        sagas: SagaStore,
        findings: FindingsService,
        clock: Clock,
      ): CollectingDeps => ({ dataSource, provider, calls, cards, sagas, findings, clock }),
    },
  ],
  exports: [COLLECTING],
})
export class CollectingModule {}
