import { Inject, Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { DataSource } from 'typeorm';
import { ENVIRONMENT, type Environment } from '#libs/config';
import { SecretsStore } from '#libs/servers';

type KeepDays = 'SERVERY_KEEP_DAYS' | 'SERVERY_AUDIT_KEEP_DAYS';

/**
 * What is forgotten, and when. Events and calls of payments stay for longer than the provider knows their keys and
 * could send them again; what has not come to its end is never forgotten.
 */
const FORGOTTEN: readonly { table: string; endedAt: string; only?: string; keep: KeepDays | null }[] = [
  {
    table: 'stripe_events',
    endedAt: 'occurred_at',
    only: 'processed_at IS NOT NULL',
    keep: 'SERVERY_KEEP_DAYS',
  },
  { table: 'payment_calls', endedAt: 'answered_at', keep: 'SERVERY_KEEP_DAYS' },
  { table: 'findings', endedAt: 'resolved_at', keep: 'SERVERY_KEEP_DAYS' },
  { table: 'audit_entries', endedAt: 'created_at', keep: 'SERVERY_AUDIT_KEEP_DAYS' },
  { table: 'mails', endedAt: 'coalesce(sent_at, given_up_at)', keep: 'SERVERY_KEEP_DAYS' },
  {
    table: 'exports',
    endedAt: 'coalesce(deleted_at, expires_at, finished_at)',
    only: "state <> 'creating' AND (state <> 'available' OR deleted_at IS NOT NULL)",
    keep: 'SERVERY_KEEP_DAYS',
  },
  {
    table: 'rehearsals',
    endedAt: '(SELECT max(finished_at) FROM rehearsal_runs WHERE rehearsal_id = rehearsals.id)',
    only: "state NOT IN ('rehearsing', 'applying') AND clone_expires_at IS NULL",
    keep: 'SERVERY_KEEP_DAYS',
  },
  {
    table: 'cooks',
    endedAt: 'finished_at',
    only: 'NOT EXISTS (SELECT FROM images i WHERE i.cook_id = cooks.id AND i.deleted_at IS NULL)',
    keep: 'SERVERY_KEEP_DAYS',
  },
  {
    table: 'recipes',
    endedAt: 'deleted_at',
    only: 'NOT EXISTS (SELECT FROM cooks c WHERE c.recipe_id = recipes.id)',
    keep: 'SERVERY_KEEP_DAYS',
  },
  { table: 'restore_tests', endedAt: 'finished_at', keep: 'SERVERY_KEEP_DAYS' },
  {
    table: 'consoles',
    endedAt: 'expires_at',
    only: "(opened_at IS NULL OR closed_at IS NOT NULL OR opened_at < now() - interval '1 day')",
    keep: null,
  },
  { table: 'rescues', endedAt: 'removed_at', keep: 'SERVERY_KEEP_DAYS' },
  { table: 'idempotency_keys', endedAt: 'expires_at', keep: null },
];

/** Keeps tables that only ever grow from doing so for ever. */
@Injectable()
export class Pruning {
  constructor(
    private readonly dataSource: DataSource,
    private readonly secrets: SecretsStore,
    @Inject(ENVIRONMENT) private readonly environment: Environment,
    private readonly log: PinoLogger,
  ) {}

  /** Destroys passwords that nobody has fetched in time. Returns how many. */
  expireSecrets(): Promise<number> {
    return this.secrets.expire(this.dataSource.manager);
  }

  /** Deletes what is due. Returns how many rows of each table. */
  async run(): Promise<Record<string, number>> {
    const deleted: Record<string, number> = {};
    for (const { table, endedAt, only, keep } of FORGOTTEN) {
      const days = keep === null ? 0 : this.environment[keep];
      const [, count] = await this.dataSource.query<[unknown[], number]>(
        `DELETE FROM ${table} WHERE ${endedAt} < now() - make_interval(days => $1::int) AND ${only ?? 'true'}`,
        [days],
      );
      deleted[table] = count;
    }
    this.log.info({ deleted }, 'forgot what is past its time');
    return deleted;
  }
}
