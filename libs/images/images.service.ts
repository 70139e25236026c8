import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager, In, IsNull, Not, type SelectQueryBuilder } from 'typeorm';
import { newId } from '#libs/kernel';
import { firstPage, type ListQuery, type Page, pageOf } from '#libs/listing';
import type { Appliance } from './appliance.ts';
import { Image } from './image.entity.ts';
import { type ImageRefusal, UNDER_WAY } from './image-hosts.ts';
import { imageNotFound, imagesError } from './images.errors.ts';

/** A cooked image as it is registered: its appliance and its bytes. */
export interface NewImage {
  readonly appliance: Appliance;
  readonly sha256: string;
  readonly fileSizeBytes: number;
  readonly virtualSizeBytes: number;
  readonly packageCount: number;
  readonly cookedAt?: Date;
  /** When these bytes were booted and used as their clients would; missing or null: it is not known that they were. */
  readonly verifiedAt?: Date | null;
}

/** The golden images of the catalog, what projects have kept of their servers, and which hosts have them. */
@Injectable()
export class ImagesService {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * The catalog's, and with them a project's where one is named. Filters: name, type, id, status, bound_to, recipe. Former builds are
   * listed only by id.
   */
  list(query: ListQuery = firstPage, projectId: number | null = null): Promise<Page<Image>> {
    const builder = this.visible(projectId);
    if (!('id' in query.filters)) builder.andWhere('image.deprecatedAt IS NULL');
    return pageOf(builder, query, {
      id: 'image.id',
      filters: {
        id: 'image.id',
        name: 'image.name',
        type: 'image.type',
        status: 'image.status',
        recipe: 'image.recipeId',
        bound_to: "(CASE WHEN image.type = 'backup' THEN image.serverId END)",
      },
      labels: 'image.labels',
      sorts: { id: 'image.id', name: 'image.name', created: 'image.createdAt' },
    });
  }

  /** @throws DomainError `image_not_found`, also when it is another project's */
  async get(id: number, projectId: number): Promise<Image> {
    const image = await this.visible(projectId).andWhere('image.id = :id', { id }).getOne();
    if (!image) throw imageNotFound(id);
    return image;
  }

  /** Rows by id, former builds too; unknown ids are left out. */
  byIds(ids: readonly number[]): Promise<Image[]> {
    return this.dataSource.getRepository(Image).findBy({ id: In([...ids]) });
  }

  /**
   * The current build of a name, or any image by id that the project may have.
   * @throws DomainError `image_not_found`, `image_not_available`
   */
  async resolve(idOrName: number | string, projectId: number): Promise<Image> {
    const id = Number(idOrName);
    const image = Number.isSafeInteger(id)
      ? await this.get(id, projectId)
      : await this.dataSource.getRepository(Image).findOneBy({
          name: String(idOrName),
          projectId: IsNull(),
          deprecatedAt: IsNull(),
          type: Not('rescue'),
        });
    if (!image) throw imageNotFound(idOrName);
    if (image.status === 'available') return image;
    throw imagesError('image_not_available', `image ${id} is not ready yet: try again when it is`);
  }

  /** The build of a catalog image that was the current one before it; undefined where there was none. */
  async formerBuild({ name, id }: Image): Promise<Image | undefined> {
    const former = this.visible(null)
      .andWhere('image.name = :name AND image.id <> :id AND image.deprecatedAt IS NOT NULL', { name, id })
      .orderBy('image.deprecatedAt', 'DESC');
    return (await former.getOne()) ?? undefined;
  }

  private visible(projectId: number | null): SelectQueryBuilder<Image> {
    return this.dataSource
      .getRepository(Image)
      .createQueryBuilder('image')
      .where("(image.projectId IS NULL AND image.type <> 'rescue' OR image.projectId = :projectId)", {
        projectId,
      })
      .andWhere('image.deletedAt IS NULL');
  }

  /**
   * Keeps a build within the caller's transaction, as the current one of its name where there is none; else that is
   * `makeCurrent`'s. The same bytes keep their row, and take the appliance's newest words.
   */
  async keep(manager: EntityManager, build: NewImage): Promise<Image> {
    const repository = manager.getRepository(Image);
    const { name } = build.appliance;
    const known = await repository.findOneBy({ name, sha256: build.sha256 });
    const current = await repository.findOneBy({ name, deprecatedAt: IsNull() });
    const isAnother = current !== null && current.id !== known?.id;
    const image = repository.create({
      ...(known ?? { id: newId(), volumeName: `${name}-${build.sha256.slice(0, 16)}.qcow2` }),
      name,
      type: typeOf(build.appliance),
      ...build,
      verifiedAt: build.verifiedAt ?? known?.verifiedAt ?? null,
      deprecatedAt: isAnother ? (known?.deprecatedAt ?? new Date()) : null,
    });
    return repository.save(image);
  }

  /** Makes a build the one that servers are ordered of by its name, within the caller's transaction. */
  async makeCurrent(manager: EntityManager, { id, name }: Image): Promise<Image> {
    await manager.query(
      'UPDATE images SET deprecated_at = now() WHERE name = $1 AND deprecated_at IS NULL AND id <> $2',
      [name, id],
    );
    await manager.update(Image, { id }, { deprecatedAt: null });
    return manager.getRepository(Image).findOneByOrFail({ id });
  }

  /** Keeps a build, and makes it the current one of its name. */
  async register(manager: EntityManager, build: NewImage): Promise<Image> {
    return this.makeCurrent(manager, await this.keep(manager, build));
  }

  /** Remembers that a host has the whole image. @returns whether that is new. */
  async recordOnHost(manager: EntityManager, imageId: number, hostId: number): Promise<boolean> {
    const added = await manager.query<unknown[]>(
      `INSERT INTO host_images (image_id, host_id) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING image_id`,
      [imageId, hostId],
    );
    await manager.query('DELETE FROM image_refusals WHERE image_id = $1 AND host_id = $2', [imageId, hostId]);
    return added.length > 0;
  }

  /** Hosts that did not take the images when they were last asked, by image. */
  async refusalsOf(imageIds: readonly number[]): Promise<ReadonlyMap<number, readonly ImageRefusal[]>> {
    const rows = await this.dataSource.query<(ImageRefusal & { imageId: number })[]>(
      `SELECT image_id AS "imageId", code, tried_at AS "triedAt" FROM image_refusals
       WHERE image_id = ANY($1) AND code <> $2 ORDER BY tried_at`,
      [imageIds, UNDER_WAY],
    );
    return Map.groupBy(rows, ({ imageId }) => imageId);
  }
}

function typeOf({ isRescue, category }: Appliance): Image['type'] {
  if (isRescue) return 'rescue';
  return category === 'os' ? 'system' : 'app';
}
