import { type DataSource, EntityManager, QueryFailedError } from 'typeorm';
import { sleep } from '#libs/kernel';

export type Isolation = 'READ COMMITTED' | 'REPEATABLE READ' | 'SERIALIZABLE';

export interface TransactionOptions {
  readonly isolation?: Isolation;
  /** Tries in all, the first one counted, when PostgreSQL asks to try again; 5 unless told. */
  readonly tries?: number;
}

const SERIALIZATION_FAILURE = '40001';
const DEADLOCK_DETECTED = '40P01';
const UNIQUE_VIOLATION = '23505';
const FIRST_PAUSE_MILLISECONDS = 10;

/**
 * Runs `fn` in a transaction and runs it again when PostgreSQL reports a deadlock or a serialization failure,
 * so `fn` must have no effect outside the database. Given a manager that is in a transaction already, `fn` joins
 * it, and a retry is left to the one who opened it.
 */
export async function runInTransaction<T>(
  on: DataSource | EntityManager,
  fn: (manager: EntityManager) => Promise<T>,
  options: TransactionOptions = {},
): Promise<T> {
  if (on instanceof EntityManager && on.queryRunner?.isTransactionActive) return fn(on);
  const tries = options.tries ?? 5;
  for (let attempt = 1; ; attempt += 1) {
    try {
      // READ COMMITTED is what PostgreSQL does untold, and to tell it costs a round trip.
      return await (options.isolation ? on.transaction(options.isolation, fn) : on.transaction(fn));
    } catch (error) {
      if (attempt >= tries || !isRetriable(error)) throw error;
      await sleep(FIRST_PAUSE_MILLISECONDS * 2 ** attempt * (0.5 + Math.random()));
    }
  }
}

/** True when PostgreSQL rolled the transaction back for the sake of another one and it may be tried again. */
export function isRetriable(error: unknown): boolean {
  const code = sqlState(error);
  return code === SERIALIZATION_FAILURE || code === DEADLOCK_DETECTED;
}

/** True when `error` is a violation of a unique constraint: of `constraint`, when that is given. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  if (sqlState(error) !== UNIQUE_VIOLATION) return false;
  return constraint === undefined || driverField(error, 'constraint') === constraint;
}

/** PostgreSQL's SQLSTATE of an error that came from a query, if it has one. */
export function sqlState(error: unknown): string | undefined {
  return driverField(error, 'code');
}

/** The constraint that an error of a query names, if it names one. */
export function sqlConstraint(error: unknown): string | undefined {
  return driverField(error, 'constraint');
}

function driverField(error: unknown, field: string): string | undefined {
  const source: unknown = error instanceof QueryFailedError ? error.driverError : error;
  const value = source instanceof Error ? (source as unknown as Record<string, unknown>)[field] : undefined;
  return typeof value === 'string' ? value : undefined;
}
