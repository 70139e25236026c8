import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { type Change, changedEntries } from '#libs/kernel';
import { type ListQuery, type Page, pageOf } from '#libs/listing';
import type { Image } from './image.entity.ts';
import { ImagePackage } from './image-package.entity.ts';
import { type ImagesErrorCode, imagesError } from './images.errors.ts';

/** What a cook has written down of an image. */
export interface ImageContents {
  readonly packages: readonly Omit<ImagePackage, 'imageId'>[];
  /** CycloneDX 1.6, to the byte as it was cooked. */
  readonly sbom: string;
}

type ContentsErrorCode = Extract<ImagesErrorCode, 'image_packages_unknown'>;

/** Which packages cooked images have. Of an image that nobody cooked, nothing is known and nothing guessed. */
@Injectable()
export class ImageContentsService {
  constructor(private readonly dataSource: DataSource) {}

  /** Keeps what was cooked, within the caller's transaction; in place of what was kept of the same image before. */
  async keep(manager: EntityManager, imageId: number, { packages, sbom }: ImageContents): Promise<void> {
    await manager.query('DELETE FROM image_packages WHERE image_id = $1', [imageId]);
    await manager.query(
      `INSERT INTO image_packages (image_id, name, version, architecture, source, sha256)
       SELECT $1::bigint, name, version, architecture, source, sha256
       FROM jsonb_to_recordset($2) AS p (name text, version text, architecture text, source text, sha256 text)`,
      [imageId, JSON.stringify(packages)],
    );
    await manager.query(
      `INSERT INTO image_sboms (image_id, document) VALUES ($1, $2)
       ON CONFLICT (image_id) DO UPDATE SET document = excluded.document`,
      [imageId, sbom],
    );
  }

  /** Whether it was written down which packages an image has. */
  async isKnown({ id }: Image): Promise<boolean> {
    return (await this.document(id)) !== undefined;
  }

  /**
   * The packages of an image by name. Filters: name, source. Sorts: name, source. `search` is a part of either.
   * @throws DomainError `image_packages_unknown`
   */
  async packages(image: Image, query: ListQuery, search?: string): Promise<Page<ImagePackage>> {
    await this.sbom(image);
    const builder = this.dataSource
      .getRepository(ImagePackage)
      .createQueryBuilder('package')
      .where('package.imageId = :imageId', { imageId: image.id });
    if (search !== undefined) {
      const part = { search: search.toLowerCase() };
      builder.andWhere('(strpos(package.name, :search) > 0 OR strpos(package.source, :search) > 0)', part);
    }
    const columns = { name: 'package.name', source: 'package.source' };
    return pageOf(builder, query, { id: 'package.name', filters: columns, sorts: columns });
  }

  /**
   * The bill of materials of an image: CycloneDX 1.6, to the byte as it was cooked.
   * @throws DomainError `image_packages_unknown`
   */
  async sbom(image: Image): Promise<string> {
    const document = await this.document(image.id);
    if (document === undefined) throw unknown('image_packages_unknown', image);
    return document;
  }

  /**
   * In which packages an image differs from another one, by name, with both versions; null: it has none of this name.
   * @throws DomainError `image_packages_unknown`
   */
  async changes(before: Image, after: Image): Promise<Change<string | null>[]> {
    return changedEntries(await this.versions(before), await this.versions(after));
  }

  private async document(imageId: number): Promise<string | undefined> {
    const [row] = await this.dataSource.query<{ document: string }[]>(
      'SELECT document FROM image_sboms WHERE image_id = $1',
      [imageId],
    );
    return row?.document;
  }

  private async versions(image: Image): Promise<Record<string, string>> {
    await this.sbom(image);
    const rows = await this.dataSource.getRepository(ImagePackage).findBy({ imageId: image.id });
    return Object.fromEntries(rows.map(({ name, version }) => [name, version]));
  }
}

function unknown(code: ContentsErrorCode, { id, serverId, importReport, appliance }: Image) {
  if (serverId !== null) {
    return imagesError(
      code,
      `image ${id} is of a server's disk: nobody has looked which packages it has, for what was changed on the server ` +
        `since it was made of ${appliance.name} is not known; ask the system itself`,
    );
  }
  if (importReport !== null) {
    return imagesError(code, `image ${id} was imported: nobody has looked which packages it has`);
  }
  return imagesError(
    code,
    `image ${id} was published before its packages were written down; it has to be published again`,
  );
}
