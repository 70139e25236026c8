import { fileURLToPath } from 'node:url';
import { DataSource, type EntitySchema } from 'typeorm';
import { installInt8Parser } from './int8.ts';
import { PreparingClient } from './preparing-client.ts';

/** A TypeORM entity class or schema, as features export them. */
export type Entity = (new () => object) | EntitySchema;

export interface DatabaseOptions {
  /** Entities of every feature that this process uses; the app lists them. */
  readonly entities?: readonly Entity[];
  /** Connections kept at most; 10 unless told. */
  readonly poolSize?: number;
  /** A connection that nobody has used for so long is closed, and keeps a process alive until then; 10 unless told. */
  readonly idleSeconds?: number;
  /** Shown in pg_stat_activity. */
  readonly applicationName?: string;
}

/** Migrations lie beside the code that runs: `migrations/*.ts` from source, `dist/migrations/*.js` when built. */
const extension = import.meta.filename.endsWith('.ts') ? 'ts' : 'js';
const migrations = fileURLToPath(new URL(`../../migrations/*.${extension}`, import.meta.url));

/**
 * A data source on `url` (`postgres://…`), not yet connected: call `initialize()`.
 * The schema changes by migrations alone.
 */
export function createDataSource(url: string, options: DatabaseOptions = {}): DataSource {
  installInt8Parser();
  return new DataSource({
    type: 'postgres',
    url,
    entities: [...(options.entities ?? [])],
    migrations: [migrations],
    migrationsTransactionMode: 'each',
    synchronize: false,
    poolSize: options.poolSize ?? 10,
    applicationName: options.applicationName ?? 'servery',
    // Queries that are given to one connection at once are sent at once: see `runStatements`.
    extra: {
      pipeline: true,
      Client: PreparingClient,
      idleTimeoutMillis: (options.idleSeconds ?? 10) * 1000,
    },
    logging: false,
  });
}
