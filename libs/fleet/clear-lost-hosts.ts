import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { runInTransaction } from '#libs/database';
import { FindingsService, Host } from '#libs/placement';
import { SagaQueue } from '#libs/queue';
import { SagaError, SagaStore, type SagaWakeUp } from '#libs/saga';
import { deleteImages, deleteServerRequest, lockServer, requestDeletion } from '#libs/servers';
import { requestVolumeDeletion, Volume } from '#libs/volumes';
import { IMAGE_IS_THERE_ALONE } from './lose-host.ts';

/** On the host `$1`, and nobody has asked for their deletion, or an operator gave it up. */
const SERVERS = `
  SELECT s.id FROM servers s
  WHERE s.host_id = $1 AND s.deleted_at IS NULL AND NOT EXISTS (
    SELECT FROM sagas g WHERE g.subject_type = 'server' AND g.subject_id = s.id AND g.finished_at IS NULL
      AND g.name = '${deleteServerRequest.name}')`;
/** One that a server still has is deleted after that server. */
const VOLUMES = `
  SELECT v.id FROM volumes v
  WHERE v.host_id = $1 AND v.deleted_at IS NULL AND v.server_id IS NULL
    AND NOT EXISTS (SELECT FROM actions a WHERE a.volume_id = v.id AND a.status = 'running')`;
/** By what the last try of its step has failed with; `$1` the host. */
const STUCK = `
  SELECT g.id, t.code = 'host_lost' AS "isOver" FROM sagas g, LATERAL (
    SELECT error ->> 'code' AS code FROM saga_steps WHERE saga_id = g.id ORDER BY id DESC LIMIT 1) AS t
  WHERE g.state = 'stuck' AND (t.code = 'host_lost'
    OR t.code IN ('host_unreachable', 'host_timeout', 'host_misconfigured')
       AND g.subject_id IN (SELECT server_id FROM reservations WHERE host_id = $1
                            UNION ALL SELECT id FROM exports WHERE host_id = $1))`;

type Asking = (manager: EntityManager, hostId: number, id: number) => Promise<SagaWakeUp | undefined>;

/**
 * Deletes what was on hosts that are lost, by the same workflows as their owners would. It looks at what is left and not at
 * what changed, so whatever crosses it, or is cut off, is done the next time.
 */
@Injectable()
export class LostHosts {
  constructor(
    private readonly dataSource: DataSource,
    private readonly sagas: SagaStore,
    private readonly queue: SagaQueue,
    private readonly findings: FindingsService,
  ) {}

  /** Several workers may do it at once, and as often as they like. */
  async clear(): Promise<void> {
    const lost = await this.dataSource.getRepository(Host).findBy({ state: 'lost' });
    for (const { id } of lost) {
      await this.findings.resolveAllOf(id);
      await this.ask(id, SERVERS, (...what) => this.deleteServer(...what));
      await this.ask(id, VOLUMES, (...what) => this.deleteVolume(...what));
      await runInTransaction(this.dataSource, (manager) => forgetImages(manager, id));
      await this.moveOn(id);
    }
  }

  private async ask(hostId: number, what: string, asking: Asking): Promise<void> {
    for (const id of await idsOf(this.dataSource.manager, what, [hostId])) {
      const wakeUp = await runInTransaction(this.dataSource, (manager) => asking(manager, hostId, id));
      if (wakeUp) await this.queue.poke(wakeUp);
    }
  }

  /** Also one that is protected, or kept as evidence: there is nothing to protect any more. */
  private async deleteServer(...[manager, hostId, id]: Parameters<Asking>) {
    const server = await lockServer(manager, id);
    const [left] = await idsOf(manager, `${SERVERS} AND s.id = $2`, [hostId, id]);
    return left === undefined ? undefined : (await requestDeletion(manager, this.sagas, server)).wakeUp;
  }

  private async deleteVolume(...[manager, hostId, id]: Parameters<Asking>) {
    const volume = await manager
      .getRepository(Volume)
      .findOneOrFail({ where: { id }, lock: { mode: 'pessimistic_write' } });
    const [left] = await idsOf(manager, `${VOLUMES} AND v.id = $2`, [hostId, id]);
    return left === undefined ? undefined : (await requestVolumeDeletion(manager, this.sagas, volume)).wakeUp;
  }

  /** What waited for the host is tried at once; what can only be done on it is given up, so that the deletions behind it follow. */
  private async moveOn(hostId: number): Promise<void> {
    const { manager } = this.dataSource;
    for (const { id, isOver } of await manager.query<{ id: number; isOver: boolean }[]>(STUCK, [hostId])) {
      const wakeUp = isOver
        ? await this.sagas.giveUp(manager, id).catch(movedOnByItself)
        : await this.sagas.wake(manager, id);
      if (wakeUp) await this.queue.poke(wakeUp);
    }
  }
}

async function idsOf(
  manager: EntityManager,
  query: string,
  values: readonly number[],
): Promise<readonly number[]> {
  const rows = await manager.query<{ id: number }[]>(`${query} ORDER BY 1`, [...values]);
  return rows.map(({ id }) => id);
}

/** What is still being made is left to the workflow that makes it, which fails. */
async function forgetImages(manager: EntityManager, hostId: number): Promise<void> {
  const images = `SELECT i.id FROM images i WHERE ${IMAGE_IS_THERE_ALONE} AND i.status <> 'creating'`;
  await deleteImages(manager, await idsOf(manager, images, [hostId]));
  await manager.query(
    `UPDATE frozen_disks SET removed_at = coalesce(removed_at, now()), memory_volume_name = NULL
     WHERE host_id = $1 AND (removed_at IS NULL OR memory_volume_name IS NOT NULL)`,
    [hostId],
  );
}

function movedOnByItself(error: unknown): undefined {
  if (!(error instanceof SagaError && error.code === 'saga_not_stuck')) throw error;
}
