import { Module } from '@nestjs/common';
import { SagaStore } from './saga.store.ts';

/** For processes that start sagas and read them, and run none. */
@Module({ providers: [SagaStore], exports: [SagaStore] })
export class SagaStoreModule {}
