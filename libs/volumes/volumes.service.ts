import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager, In, IsNull } from 'typeorm';
import { isUniqueViolation, runInTransaction } from '#libs/database';
import { firstPage, type ListQuery, type Page, pageOf } from '#libs/listing';
import { type Action, recordDone } from '#libs/servers';
import { Volume } from './volume.entity.ts';
import { lockVolume } from './volume-admission.ts';
import { volumeNameTaken, volumeNotFound } from './volumes.errors.ts';

/** Reads volumes and changes what needs no host: name, labels and protection. */
@Injectable()
export class VolumesService {
  constructor(private readonly dataSource: DataSource) {}

  /** Filters: name, status. Sorts: id, name, created. Deleted volumes are not listed. */
  list(projectId: number, query: ListQuery = firstPage): Promise<Page<Volume>> {
    const builder = this.dataSource
      .getRepository(Volume)
      .createQueryBuilder('volume')
      .where('volume.projectId = :projectId', { projectId })
      .andWhere('volume.deletedAt IS NULL')
      .andWhere('volume.retiredAt IS NULL');
    return pageOf(builder, query, {
      id: 'volume.id',
      labels: 'volume.labels',
      filters: { name: 'volume.name', status: 'volume.status' },
      sorts: { id: 'volume.id', name: 'volume.name', created: 'volume.createdAt' },
    });
  }

  /** @throws VolumesError `volume_not_found`, also when it is another project's */
  async get(projectId: number, id: number): Promise<Volume> {
    const visible = { deletedAt: IsNull(), retiredAt: IsNull() };
    const volume = await this.dataSource.getRepository(Volume).findOneBy({ id, projectId, ...visible });
    if (!volume) throw volumeNotFound(id);
    return volume;
  }

  /** @throws VolumesError `volume_not_found`, `volume_name_taken` */
  async update(
    projectId: number,
    id: number,
    change: { name?: string; labels?: Record<string, string> },
  ): Promise<Volume> {
    const volume = await this.get(projectId, id);
    if (Object.keys(change).length === 0) return volume;
    const { name = volume.name } = change;
    try {
      await this.dataSource.getRepository(Volume).update({ id, projectId }, change);
    } catch (error) {
      throw isUniqueViolation(error, 'volumes_name_in_project') ? volumeNameTaken(name) : error;
    }
    return this.get(projectId, id);
  }

  /** Protects a volume from deletion, or lets it go. @throws VolumesError `volume_not_found` */
  protect(projectId: number, id: number, isDeleteProtected: boolean): Promise<Action> {
    return runInTransaction(this.dataSource, async (manager) => {
      await lockVolume(manager, projectId, id);
      await manager.getRepository(Volume).update({ id }, { isDeleteProtected });
      return recordDone(manager, { projectId, serverId: null, volumeId: id, command: 'change_protection' });
    });
  }

  /** Ids of the volumes that servers have, by server. */
  async idsByServer(serverIds: readonly number[]): Promise<ReadonlyMap<number, number[]>> {
    const had = await this.dataSource
      .getRepository(Volume)
      .find({ where: { serverId: In([...serverIds]) }, order: { slot: 'ASC' } });
    const ids = new Map<number, number[]>();
    for (const { id, serverId } of had) {
      if (serverId !== null) ids.set(serverId, [...(ids.get(serverId) ?? []), id]);
    }
    return ids;
  }
}

/** The volumes that a server has, by their slots. */
export function volumesOfServer(manager: EntityManager, serverId: number): Promise<Volume[]> {
  return manager.getRepository(Volume).find({ where: { serverId }, order: { slot: 'ASC' } });
}

/** A server has the volume from now on. */
export async function noteAttached(
  manager: EntityManager,
  {
    volumeId,
    serverId,
    slot,
  }: { readonly volumeId: number; readonly serverId: number; readonly slot: number },
): Promise<void> {
  await manager.update(Volume, { id: volumeId }, { serverId, slot });
}

/** No server has the volume any more. */
export async function noteDetached(manager: EntityManager, volumeId: number): Promise<void> {
  await manager.update(Volume, { id: volumeId }, { serverId: null, slot: null });
}

/** A server is gone: its volumes are free again, with all that is on them. */
export async function releaseVolumesOf(manager: EntityManager, serverId: number): Promise<void> {
  await manager.query('UPDATE volumes SET server_id = NULL, slot = NULL WHERE server_id = $1', [serverId]);
}
