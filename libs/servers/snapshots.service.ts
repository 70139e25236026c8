import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { closeServer } from '#libs/billing';
import { runInTransaction } from '#libs/database';
import { Image } from '#libs/images';
import { Action } from './action.entity.ts';
import { newAction } from './actions.service.ts';
import { ServersError } from './servers.errors.ts';

/** What may be changed about an image of a project; what is missing stays as it is. */
export interface ImageChange {
  readonly description?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** The images of a project: what it has kept of its servers, and what it has brought along. Those of the catalog are nobody's to change. */
@Injectable()
export class SnapshotsService {
  constructor(private readonly dataSource: DataSource) {}

  /** @throws ServersError `image_not_found`, `image_of_catalog` */
  async change(projectId: number, id: number, { description, labels }: ImageChange): Promise<Image> {
    return this.own(projectId, id, async (manager, image) => {
      const changes = {
        ...(description === undefined ? {} : { description }),
        ...(labels && { labels: { ...labels } }),
      };
      return manager.getRepository(Image).save({ ...image, ...changes });
    });
  }

  /** Protects from deletion, or lets it go. @throws ServersError `image_not_found`, `image_of_catalog` */
  async protect(projectId: number, id: number, isDeleteProtected: boolean): Promise<Action> {
    return this.own(projectId, id, async (manager, image) => {
      await manager.getRepository(Image).update({ id }, { isDeleteProtected });
      const ended = { status: 'success' as const, progress: 100, finishedAt: new Date(), sagaId: null };
      const { serverId } = image;
      const made = newAction({ projectId, serverId, sagaId: 0, command: 'change_protection', imageId: id });
      return manager.getRepository(Action).save({ ...made, ...ended });
    });
  }

  /**
   * Deletes an image, whose billing ends with this call. What servers, or other images, stand on stays on its host for as
   * long as they do.
   * @throws ServersError `image_not_found`, `image_of_catalog`, `image_protected`, `image_in_the_making`
   */
  async delete(projectId: number, id: number): Promise<void> {
    await this.own(projectId, id, async (manager, image) => {
      if (image.isDeleteProtected) {
        throw new ServersError('image_protected', `image ${id} is protected: take its protection away first`);
      }
      if (image.status === 'creating') {
        throw new ServersError('image_in_the_making', `image ${id} is being made: wait until it is ready`);
      }
      await closeServer(manager, id);
      // What was imported is whole on hosts, and goes from each when nothing stands on it.
      if (image.frozenDiskId !== null) {
        await manager.query('DELETE FROM host_images WHERE image_id = $1', [id]);
      }
      await manager.getRepository(Image).update({ id }, { deletedAt: new Date() });
    });
  }

  private own<T>(
    projectId: number,
    id: number,
    work: (manager: EntityManager, image: Image) => Promise<T>,
  ): Promise<T> {
    return runInTransaction(this.dataSource, async (manager) => {
      const image = await manager
        .getRepository(Image)
        .findOne({ where: { id }, lock: { mode: 'pessimistic_write' } });
      if (image?.projectId === null) {
        throw new ServersError('image_of_catalog', `image ${id} is of the catalog and cannot be changed`);
      }
      if (!image || image.deletedAt || image.projectId !== projectId) {
        throw new ServersError('image_not_found', `there is no image ${id}`);
      }
      return work(manager, image);
    });
  }
}
