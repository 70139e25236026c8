import type { DataSource, EntityManager } from 'typeorm';
import type { Clock } from '#libs/kernel';
import { PaymentError } from './payments.errors.ts';

/** Every process of ours looks so often whether the clock of money was moved. */
export const MONEY_CLOCK_LOOK_MILLISECONDS = 500;

/**
 * The clock of money, which is the machine's unless it was moved ahead ({@link moveMoneyClock}). On it run: usage and
 * its prices, taxes and invoices, the ladder of those who do not pay, the expiry of credit and of cards, spending
 * limits, the age of the provider's idempotency keys, and the sweep over its events. SQL reads it by `money_now()`.
 *
 * What measures how long a machine or a person really waits stays on the machine's clock, and is never moved: leases
 * and alarms of sagas and the deadlines of their steps, servers' own times, sessions, tokens, links in mails and when
 * mails are tried again, one-time secrets, the API's idempotency keys, rate limits, retention, the audit.
 */
export class MoneyClock implements Clock {
  readonly #dataSource: DataSource;
  readonly #timer: NodeJS.Timeout | undefined;
  #aheadSeconds: number;

  private constructor(dataSource: DataSource, aheadSeconds: number, isMovable: boolean) {
    this.#dataSource = dataSource;
    this.#aheadSeconds = aheadSeconds;
    if (isMovable) this.#timer = setInterval(() => void this.#look(), MONEY_CLOCK_LOOK_MILLISECONDS).unref();
  }

  /**
   * @param isMovable whether the provider is the emulator: real money is never asked for by a clock that was moved
   * @throws PaymentError `clock_moved` where it was moved and may not have been
   */
  static async open(dataSource: DataSource, isMovable: boolean): Promise<MoneyClock> {
    const aheadSeconds = await moneyClockAhead(dataSource.manager);
    if (aheadSeconds > 0 && !isMovable) {
      throw new PaymentError(
        'clock_moved',
        `The clock of these books was moved ${Math.round(aheadSeconds / 86_400)} days ahead on the Stripe emulator: they are for trying out and collect no real money. Start from an empty database, or set STRIPE_API_HOST to the emulator again.`,
      );
    }
    return new MoneyClock(dataSource, aheadSeconds, isMovable);
  }

  now(): Date {
    return new Date(Date.now() + this.#aheadSeconds * 1000);
  }

  /** Nest calls it when the app ends. */
  onModuleDestroy(): void {
    clearInterval(this.#timer);
  }

  /** A database that is away for a moment leaves the clock as it was. */
  async #look(): Promise<void> {
    this.#aheadSeconds = await moneyClockAhead(this.#dataSource.manager).catch(() => this.#aheadSeconds);
  }
}

/** By how many seconds the clock of money is ahead of the machine's. */
export async function moneyClockAhead(manager: EntityManager): Promise<number> {
  const [row] = await manager.query<{ seconds: number }[]>(
    'SELECT ahead_seconds AS seconds FROM money_clock',
  );
  if (!row) throw new Error('money_clock has lost its row');
  return row.seconds;
}

/**
 * Moves the clock of money so far ahead of the machine's; never back. Move the emulator's before it: a charge that is
 * older there than the clock here would be missed by the sweep.
 */
export async function moveMoneyClock(manager: EntityManager, aheadSeconds: number): Promise<void> {
  await manager.query('UPDATE money_clock SET ahead_seconds = greatest(ahead_seconds, $1)', [aheadSeconds]);
}
