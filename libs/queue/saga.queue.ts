import { InjectQueue } from '@nestjs/bullmq';
import { Injectable, Logger } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { answerWithin } from '#libs/kernel';

export const SAGA_QUEUE = 'sagas';
const ANSWER_TIMEOUT_MILLISECONDS = 1000;

/** All that a job carries. What there is to do stands in PostgreSQL. */
export interface SagaJob {
  readonly sagaId: number;
}

export interface QueueDepth {
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
}

/** The alarm clock: tells a worker that a saga is due. An alarm that is lost only costs the sweeper's interval. */
@Injectable()
export class SagaQueue {
  private readonly log = new Logger(SagaQueue.name);

  constructor(@InjectQueue(SAGA_QUEUE) private readonly queue: Queue<SagaJob>) {
    queue.on('error', () => {});
  }

  /**
   * Call it after the commit. Never throws, and gives up after a second.
   *
   * The job's id holds the version of the saga's row: alarms for one state of it fall together, and an alarm for a
   * newer state is never swallowed by a job that is still at work on an older one.
   */
  async poke(saga: { sagaId: number; version: number }, delaySeconds = 0): Promise<void> {
    const job = this.queue.add(
      'wake',
      { sagaId: saga.sagaId },
      {
        jobId: `${saga.sagaId}-${saga.version}`,
        delay: Math.ceil(delaySeconds * 1000),
        removeOnComplete: true,
        removeOnFail: true,
      },
    );
    try {
      await answerWithin(ANSWER_TIMEOUT_MILLISECONDS, 'Redis', job);
    } catch (error) {
      this.log.warn(
        { sagaId: saga.sagaId, err: error },
        'the alarm was not set: the sweeper will find the saga',
      );
    }
  }

  /** @throws when Redis does not answer within a second. */
  async depth(): Promise<QueueDepth> {
    const asked = this.queue.getJobCounts('waiting', 'active', 'delayed');
    const counts = await answerWithin(ANSWER_TIMEOUT_MILLISECONDS, 'Redis', asked);
    return { waiting: counts.waiting ?? 0, active: counts.active ?? 0, delayed: counts.delayed ?? 0 };
  }
}
