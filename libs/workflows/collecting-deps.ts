import type { DataSource } from 'typeorm';
import type { Clock } from '#libs/kernel';
import type { CardsService, PaymentCalls, PaymentProvider } from '#libs/payments';
import type { FindingsService } from '#libs/placement';
import type { SagaStore } from '#libs/saga';

/** What it takes to bring the books to what the provider has. */
export interface MirrorDeps {
  readonly provider: PaymentProvider;
  readonly sagas: SagaStore;
  readonly findings: FindingsService;
  readonly clock: Clock;
}

/** What the workflows of money work with. */
export interface CollectingDeps extends MirrorDeps {
  readonly dataSource: DataSource;
  readonly calls: PaymentCalls;
  readonly cards: CardsService;
}
