import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { runInTransaction } from '#libs/database';
import type { Devices } from '#libs/hypervisor';
import { Image, type Verification } from '#libs/images';
import type { Action } from './action.entity.ts';
import { recordDone } from './actions.service.ts';
import { refuseWhileInvestigated } from './server-admission.ts';
import { billImage, deleteImages } from './server-images.ts';
import { ServersError } from './servers.errors.ts';

/** What may be changed about an image of a project; what is missing stays as it is. */
export interface ImageChange {
  readonly description?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** A backup, or what a roll back left behind, becomes a snapshot, which stays until its owner deletes it. */
  readonly type?: 'snapshot';
  readonly devices?: Partial<Devices>;
  readonly verification?: Verification;
}

/** The images of a project: what it has kept of its servers, and what it has brought along. Those of the catalog are nobody's to change. */
@Injectable()
export class SnapshotsService {
  constructor(private readonly dataSource: DataSource) {}

  /** @throws ServersError `image_not_found`, `image_of_catalog`, `image_in_the_making` */
  async change(
    projectId: number,
    id: number,
    { description, labels, type, devices, verification }: ImageChange,
  ): Promise<Image> {
    return this.own(projectId, id, async (manager, image) => {
      const isKept = type === 'snapshot' && isDeletedByItself(image);
      if (isKept) refuseInTheMaking(image);
      const changed = await manager.getRepository(Image).save({
        ...image,
        ...(description === undefined ? {} : { description }),
        ...(labels && { labels: { ...labels } }),
        ...(devices && { devices: { ...image.devices, ...devices } }),
        ...(verification && { verification }),
        ...(isKept && { type, madeBy: 'owner' as const, expiresAt: null }),
      });
      if (isKept) await billImage(manager, id);
      return changed;
    });
  }

  /**
   * Protects a snapshot from deletion, or lets it go. What is deleted by itself, as a backup is, has to become one first.
   * @throws ServersError `image_not_found`, `image_of_catalog`, `image_not_a_snapshot`
   */
  async protect(projectId: number, id: number, isDeleteProtected: boolean): Promise<Action> {
    return this.own(projectId, id, async (manager, { serverId, type, expiresAt }) => {
      if (type !== 'snapshot' || expiresAt !== null) {
        const message = `image ${id} is deleted by itself: make it a snapshot first (type: "snapshot")`;
        throw new ServersError('image_not_a_snapshot', message);
      }
      await manager.getRepository(Image).update({ id }, { isDeleteProtected });
      return recordDone(manager, { projectId, serverId, command: 'change_protection', imageId: id });
    });
  }

  /**
   * Deletes an image, whose billing ends with this call. What servers, or other images, stand on stays on its host for as
   * long as they do.
   * @throws ServersError `image_not_found`, `image_of_catalog`, `image_suspended`, `image_protected`, `image_in_the_making`
   */
  async delete(projectId: number, id: number): Promise<void> {
    await this.own(projectId, id, async (manager, image) => {
      await refuseWhileInvestigated(manager, projectId, 'image');
      if (image.isDeleteProtected) {
        throw new ServersError('image_protected', `image ${id} is protected: take its protection away first`);
      }
      refuseInTheMaking(image);
      await deleteImages(manager, [id]);
    });
  }

  /** Deletes what was to be kept for a while only. @returns how many */
  removeExpired(): Promise<number> {
    return runInTransaction(this.dataSource, async (manager) => {
      const expired = await manager.query<{ id: number }[]>(
        `SELECT id FROM images WHERE expires_at < now() AND deleted_at IS NULL FOR UPDATE SKIP LOCKED`,
      );
      await deleteImages(
        manager,
        expired.map(({ id }) => id),
      );
      return expired.length;
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

/** Until its owner makes a snapshot of it, which is billed as one. */
export function isDeletedByItself({ type, expiresAt }: Image): boolean {
  return type === 'backup' || expiresAt !== null;
}

/** @throws ServersError `image_in_the_making` */
function refuseInTheMaking({ id, status }: Image): void {
  if (status !== 'creating') return;
  throw new ServersError('image_in_the_making', `image ${id} is being made: wait until it is ready`);
}
