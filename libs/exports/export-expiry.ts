import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { ExportStore } from './export-store.ts';

/** Removes files whose time is up, and those of nobody. */
@Injectable()
export class ExportExpiry {
  constructor(
    private readonly dataSource: DataSource,
    private readonly store: ExportStore,
  ) {}

  /** @returns ids of the exports whose files it removed */
  async run(): Promise<number[]> {
    const { manager } = this.dataSource;
    await manager.query(
      `UPDATE exports SET state = 'expired' WHERE state = 'available' AND expires_at <= now() AND deleted_at IS NULL`,
    );
    // The rows after the files: who has a file by then had its row before.
    const ids = await this.store.ids();
    const wanted = await wantedAmong(manager, ids);
    const removed = ids.filter((id) => !wanted.has(id));
    for (const id of removed) await this.store.remove(id);
    return removed;
  }
}

/** Those that are finished, or that a workflow is still at, even if only to take them back. */
async function wantedAmong(manager: EntityManager, ids: readonly number[]): Promise<ReadonlySet<number>> {
  const rows = await manager.query<{ id: number }[]>(
    `SELECT id FROM exports WHERE id = ANY($1::bigint[])
     AND (state = 'creating' OR (state = 'available' AND deleted_at IS NULL))`,
    [ids],
  );
  return new Set(rows.map(({ id }) => id));
}
