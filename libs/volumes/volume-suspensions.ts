import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { closeServer, openVolume } from '#libs/billing';
import { runInTransaction } from '#libs/database';
import { SagaQueue } from '#libs/queue';
import { SagaStore, type SagaWakeUp } from '#libs/saga';
import { Volume } from './volume.entity.ts';
import { requestVolumeDeletion } from './volume-commands.ts';

type Standing = 'free' | 'retired' | 'purged';

/** Volumes on which nothing is being done, and what their account's arrears make of them. */
const STANDINGS = `
  SELECT v.id, CASE a.step WHEN 'purge' THEN 'purged' WHEN 'soft_deletion' THEN 'retired' ELSE 'free' END AS wanted,
         CASE WHEN v.retired_at IS NULL THEN 'free' ELSE 'retired' END AS found, v.server_id IS NOT NULL AS had
  FROM volumes v LEFT JOIN arrears a ON a.account_id = v.account_id AND a.closed_at IS NULL
  WHERE v.deleted_at IS NULL AND v.status = 'available'
    AND NOT EXISTS (SELECT FROM actions x WHERE x.volume_id = v.id AND x.status = 'running')`;

/**
 * Brings volumes to where their accounts' arrears want them, as servers are brought: hidden and unbilled, back, or deleted
 * for good. It looks at what stands and not at what changed.
 */
@Injectable()
export class VolumeSuspensions {
  constructor(
    private readonly dataSource: DataSource,
    private readonly sagas: SagaStore,
    private readonly queue: SagaQueue,
  ) {}

  /** A volume that a server still has is deleted after that server. @returns how many were brought elsewhere */
  async align(): Promise<number> {
    const misplaced = await this.dataSource.query<{ id: number }[]>(
      `SELECT id FROM (${STANDINGS}) AS t WHERE wanted <> found AND NOT (wanted = 'purged' AND had) ORDER BY id`,
    );
    for (const { id } of misplaced) {
      const wakeUp = await runInTransaction(this.dataSource, (manager) => this.alignOne(manager, id));
      if (wakeUp) await this.queue.poke(wakeUp);
    }
    return misplaced.length;
  }

  private async alignOne(manager: EntityManager, id: number): Promise<SagaWakeUp | undefined> {
    const volume = await manager
      .getRepository(Volume)
      .findOneOrFail({ where: { id }, lock: { mode: 'pessimistic_write' } });
    const [standing] = await manager.query<{ wanted: Standing; found: Standing }[]>(
      `${STANDINGS} AND v.id = $1`,
      [id],
    );
    if (!standing || standing.wanted === standing.found) return undefined;
    if (standing.wanted === 'retired') {
      await closeServer(manager, id);
      await manager.update(Volume, { id }, { retiredAt: new Date() });
    } else if (standing.wanted === 'free') {
      await manager.update(Volume, { id }, { retiredAt: null });
      await billVolume(manager, volume);
    } else if (volume.serverId === null) {
      return (await requestVolumeDeletion(manager, this.sagas, volume)).wakeUp;
    }
    return undefined;
  }
}

/** A volume is billed from now on. */
export async function billVolume(manager: EntityManager, volume: Volume): Promise<void> {
  const { id: serverId, accountId, projectId, currency, name, sizeGib } = volume;
  const subscriber = { accountId, projectId, serverId, serverName: `Volume ${name}`, currency };
  await openVolume(manager, subscriber, sizeGib);
}
