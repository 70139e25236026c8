import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { ENVIRONMENT, type Environment } from '#libs/config';
import { ProviderEvents } from '#libs/payments';
import { Books } from './books.ts';
import { Dunning } from './dunning.ts';
import { Mails } from './mails.ts';
import { Pruning } from './pruning.ts';
import { Reconciler } from './reconciler/reconciler.ts';

const EVENTS_SECONDS = 1;
const MAILS_SECONDS = 2;
const REPAIR_SECONDS = 60;
const EXPIRY_SECONDS = 600;
const BOOKS_SECONDS = 600;
const RECHARGE_SECONDS = 60;
const DUNNING_SECONDS = 10;
const DAY_SECONDS = 86_400;

/** What the worker does by the clock. Each task waits for its own last run; PostgreSQL keeps several workers apart. */
@Injectable()
export class Schedules implements OnApplicationBootstrap, OnModuleDestroy, BeforeApplicationShutdown {
  private readonly stop = new AbortController();
  private running: Promise<void>[] = [];

  constructor(
    private readonly events: ProviderEvents,
    private readonly reconciler: Reconciler,
    private readonly pruning: Pruning,
    private readonly books: Books,
    private readonly dunning: Dunning,
    private readonly mails: Mails,
    private readonly log: PinoLogger,
    @Inject(ENVIRONMENT) private readonly environment: Environment,
  ) {}

  onApplicationBootstrap(): void {
    this.running = [
      this.every(EVENTS_SECONDS, 'provider events', () => this.events.processDue()),
      this.every(REPAIR_SECONDS, 'payments repair', () => this.events.repair()),
      this.every(DAY_SECONDS, 'payments repair of a month', () => this.events.repair({ isFull: true })),
      this.every(EXPIRY_SECONDS, 'expired secrets', () => this.pruning.expireSecrets()),
      this.every(BOOKS_SECONDS, 'invoices', () => this.books.closeDue()),
      this.every(BOOKS_SECONDS, 'open invoices', () => this.books.collectDue()),
      this.every(RECHARGE_SECONDS, 'recharges', () => this.books.rechargeDue()),
      this.every(DUNNING_SECONDS, 'dunning', () => this.dunning.advance()),
      this.every(BOOKS_SECONDS, 'spending alerts', () => this.books.alertSpending()),
      this.every(DAY_SECONDS, 'check of the books', () => this.books.check()),
      this.every(MAILS_SECONDS, 'mails', () => this.mails.send(this.stop.signal)),
      this.every(EXPIRY_SECONDS, 'mails given up', () => this.mails.tellGivenUp()),
      this.every(DAY_SECONDS, 'pruning', () => this.pruning.run()),
      this.every(this.environment.SERVERY_RECONCILE_SECONDS, 'reconciler', () =>
        this.reconciler.run(this.stop.signal),
      ),
    ];
  }

  onModuleDestroy(): void {
    this.stop.abort();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all(this.running);
  }

  private async every(seconds: number, task: string, run: () => Promise<unknown>): Promise<void> {
    const { signal } = this.stop;
    while (!signal.aborted) {
      try {
        await run();
      } catch (err) {
        this.log.error({ err, task }, 'a scheduled task failed and will be tried again');
      }
      await pause(seconds * 1000, signal);
    }
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener('abort', done);
  });
}
