import { Processor, WorkerHost } from '@nestjs/bullmq';
import type { OnApplicationBootstrap } from '@nestjs/common';
import type { Job } from 'bullmq';
import { SAGA_QUEUE, type SagaJob } from './saga.queue.ts';

/** What runs sagas; the worker provides it. */
export abstract class SagaJobHandler {
  /** Jobs that it takes at once. */
  abstract readonly concurrency: number;
  /** Returns when the saga has ended, sleeps, or is in other hands. Must not throw for the saga's sake. */
  abstract handle(sagaId: number): Promise<void>;
}

/** Hands each alarm to the runner. BullMQ delivers at least once; the saga's lease sorts out the rest. */
@Processor(SAGA_QUEUE)
export class SagaProcessor extends WorkerHost implements OnApplicationBootstrap {
  constructor(private readonly handler: SagaJobHandler) {
    super();
  }

  onApplicationBootstrap(): void {
    this.worker.concurrency = this.handler.concurrency;
    this.worker.on('error', () => {});
  }

  override async process(job: Job<SagaJob>): Promise<void> {
    await this.handler.handle(job.data.sagaId);
  }
}
