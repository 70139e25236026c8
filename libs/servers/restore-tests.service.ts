import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { runInTransaction } from '#libs/database';
import { newId, newUuid } from '#libs/kernel';
import { SagaQueue } from '#libs/queue';
import { SagaStore } from '#libs/saga';
import { forgetDeletedFailures } from './restore-tests.ts';
import { verifyBackupRequest } from './server-requests.ts';

/** How many backups are tried out on a day, and between which full hours, in UTC. The last one is not part of it. */
export interface RestoreTestBudget {
  readonly aDay: number;
  readonly fromHour: number;
  readonly untilHour: number;
}

/**
 * The newest backup of the server that has gone longest without a test of one, where a host works that reaches it. A test
 * that was called off was its server's turn: it gets no other on the same day, so that one without room does not take
 * everybody's. `$1` how many a day, `$2` and `$3` ids of the test. No row while a test runs, or when the day has had its.
 */
const TAKE = `
  INSERT INTO restore_tests (id, image_id, server_id, frozen_disk_id, domain_uuid)
  SELECT $2, i.id, i.server_id, i.frozen_disk_id, $3
  FROM images i JOIN frozen_disks f ON f.id = i.frozen_disk_id JOIN servers s ON s.id = i.server_id
  WHERE i.type = 'backup' AND i.status = 'available' AND i.deleted_at IS NULL
    AND s.deleted_at IS NULL
    AND (EXISTS (SELECT FROM hosts h WHERE h.id = f.host_id AND h.state = 'active')
         OR EXISTS (SELECT FROM storage_peers p JOIN hosts h ON h.id = p.peer_id
                    WHERE p.host_id = f.host_id AND h.state = 'active'))
    AND NOT EXISTS (SELECT FROM restore_tests t WHERE t.started_at >= date_trunc('day', now(), 'UTC')
                    AND (t.image_id = i.id OR t.server_id = i.server_id AND t.state = 'called_off'))
    AND (SELECT count(*) FROM restore_tests t WHERE t.started_at >= date_trunc('day', now(), 'UTC')) < $1
  ORDER BY greatest((SELECT max(b.restore_tested_at) FROM images b WHERE b.server_id = i.server_id),
                    (SELECT max(t.started_at) FROM restore_tests t WHERE t.server_id = i.server_id)) NULLS FIRST,
           i.created_at DESC, i.id DESC LIMIT 1
  ON CONFLICT DO NOTHING RETURNING id`;

/** Tries out, within the operator's budget, whether backups can be started from. */
@Injectable()
export class RestoreTests {
  constructor(
    private readonly dataSource: DataSource,
    private readonly sagas: SagaStore,
    private readonly queue: SagaQueue,
  ) {}

  /** Begins a test where one is due. Several workers may call at once: one test runs at a time. @returns its saga's id */
  async startDue(budget: RestoreTestBudget, now = new Date()): Promise<number | undefined> {
    await forgetDeletedFailures(this.dataSource.manager);
    if (budget.aDay === 0 || !isWithin(budget, now.getUTCHours())) return undefined;
    const wakeUp = await runInTransaction(this.dataSource, (manager) => this.take(manager, budget));
    if (wakeUp) await this.queue.poke(wakeUp);
    return wakeUp?.sagaId;
  }

  private async take(manager: EntityManager, { aDay }: RestoreTestBudget) {
    const [taken] = await manager.query<{ id: number }[]>(TAKE, [aDay, newId(), newUuid()]);
    if (!taken) return undefined;
    const subject = { type: 'restore_test', id: taken.id };
    return this.sagas.start(manager, verifyBackupRequest, { restoreTestId: taken.id }, { subject });
  }
}

/** From 22 until 6 o'clock goes over midnight. */
function isWithin({ fromHour, untilHour }: RestoreTestBudget, hour: number): boolean {
  if (fromHour < untilHour) return hour >= fromHour && hour < untilHour;
  return hour >= fromHour || hour < untilHour;
}
