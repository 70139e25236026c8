import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { runInTransaction } from '#libs/database';
import type { DiskFormat, InspectedFile } from '#libs/disk-files';
import { newId } from '#libs/kernel';
import { DISK_TOOLS, type DiskTools } from './disk-tools.ts';
import { IMPORT_SETTINGS, type ImportSettings } from './import-settings.ts';
import { ImportStore } from './import-store.ts';
import { ImportsError } from './imports.errors.ts';

/** A file of a project that is here, or on its way, and is no image yet. */
export interface Upload {
  readonly id: number;
  /** Null: not known before its end. */
  readonly lengthBytes: number | null;
  readonly expiresAt: Date;
}

/** One that waits for the rest of its bytes, or to be imported. */
export interface WaitingUpload extends Upload {
  readonly hereBytes: number;
  readonly createdAt: Date;
}

/** Files that customers send. The row comes before the file, and a file without one is garbage. */
@Injectable()
export class UploadsService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly store: ImportStore,
    @Inject(DISK_TOOLS) private readonly tools: DiskTools,
    @Inject(IMPORT_SETTINGS) private readonly settings: ImportSettings,
  ) {}

  /** Room for one more file. @throws ImportsError `import_limit_reached`, `upload_too_large` */
  async open(projectId: number, lengthBytes: number | null): Promise<Upload> {
    if (lengthBytes !== null && lengthBytes > this.settings.maxFileBytes) throw tooLarge(this.settings);
    await this.store.prepare();
    const id = newId();
    const [row] = await runInTransaction(this.dataSource, async (manager) => {
      await assertRoomForImport(manager, projectId, this.settings);
      return manager.query<[{ expiresAt: Date }]>(
        `INSERT INTO uploads (id, project_id, length_bytes, expires_at)
         VALUES ($1, $2, $3, now() + make_interval(hours => $4)) RETURNING expires_at AS "expiresAt"`,
        [id, projectId, lengthBytes, this.settings.uploadKeepHours],
      );
    });
    return { id, lengthBytes, expiresAt: row.expiresAt };
  }

  /** Those of a project that wait, the oldest first: no more than a project may have under way. */
  async list(projectId: number): Promise<WaitingUpload[]> {
    const rows = await this.dataSource.query<Omit<WaitingUpload, 'hereBytes'>[]>(
      `SELECT id, length_bytes AS "lengthBytes", created_at AS "createdAt", expires_at AS "expiresAt"
       FROM uploads WHERE project_id = $1 AND image_id IS NULL AND expires_at > now() ORDER BY created_at, id`,
      [projectId],
    );
    return Promise.all(
      rows.map(async (row) => ({ ...row, hereBytes: await this.store.uploadedBytes(row.id) })),
    );
  }

  /** One that waits for its bytes, or to be imported. @throws ImportsError `upload_not_found`, `upload_taken` */
  async waiting(projectId: number, id: number): Promise<Upload> {
    const [row] = await this.dataSource.query<(Upload & { imageId: number | null })[]>(
      `SELECT id, length_bytes AS "lengthBytes", expires_at AS "expiresAt", image_id AS "imageId"
       FROM uploads WHERE id = $1 AND project_id = $2 AND expires_at > now()`,
      [id, projectId],
    );
    if (!row) throw new ImportsError('upload_not_found', `there is no upload ${id}: it may have expired`);
    if (row.imageId !== null) throw taken(id);
    return row;
  }

  /**
   * What a whole one is, by its header.
   * @throws ImportsError as `waiting`, and `upload_incomplete`; DomainError of `DISK_FILE_ERROR_CODES`
   */
  async inspect(projectId: number, id: number, format: DiskFormat): Promise<InspectedFile> {
    await this.assertWhole(await this.waiting(projectId, id));
    const limits = { virtualSizeBytes: this.settings.maxDiskBytes };
    return this.tools.inspect(this.store.uploadPath(id), format, { limits });
  }

  private async assertWhole({ id, lengthBytes }: Upload): Promise<void> {
    const hereBytes = await this.store.uploadedBytes(id);
    if (lengthBytes === hereBytes) return;
    throw new ImportsError('upload_incomplete', `upload ${id} is not whole yet: send the rest of it`, {
      here_bytes: hereBytes,
      length_bytes: lengthBytes,
    });
  }

  /** The file has ended. */
  async finish(id: number, lengthBytes: number): Promise<void> {
    await this.dataSource.query('UPDATE uploads SET length_bytes = $2 WHERE id = $1', [id, lengthBytes]);
  }

  /** Away with one that nothing is made of. Absent is success. */
  async discard(id: number): Promise<void> {
    const rows = await this.dataSource.query<[unknown[], number]>(
      'DELETE FROM uploads WHERE id = $1 AND image_id IS NULL RETURNING id',
      [id],
    );
    if (rows[1] > 0) await this.store.removeUpload(id);
  }

  /**
   * Removes uploads that have waited for long enough, and files whose upload or import is over: what a worker or an
   * API that was killed had no time to remove. @returns how many there were
   */
  async removeExpired(): Promise<number> {
    const here = await this.store.present();
    await this.dataSource.query('DELETE FROM uploads WHERE image_id IS NULL AND expires_at < now()');
    const [uploads, imports] = await Promise.all([
      this.dataSource.query<{ id: number }[]>('SELECT id FROM uploads WHERE id = ANY($1)', [here.uploads]),
      this.dataSource.query<{ id: number }[]>(
        'SELECT image_id AS id FROM image_imports WHERE image_id = ANY($1) AND finished_at IS NULL',
        [here.imports],
      ),
    ]);
    const without = (ids: readonly number[], rows: readonly { id: number }[]) =>
      ids.filter((id) => !rows.some((row) => row.id === id));
    const [oldUploads, oldImports] = [without(here.uploads, uploads), without(here.imports, imports)];
    for (const id of oldUploads) await this.store.removeUpload(id);
    for (const id of oldImports) await this.store.removeWork(id);
    return oldUploads.length + oldImports.length;
  }
}

/**
 * Whether one more upload or import of a project may be under way; others of the project wait until the transaction
 * ends. An upload that is imported within it counts once: take it before. @throws ImportsError `import_limit_reached`
 */
export async function assertRoomForImport(
  manager: EntityManager,
  projectId: number,
  { perProject }: Pick<ImportSettings, 'perProject'>,
): Promise<void> {
  await manager.query('SELECT FROM projects WHERE id = $1 FOR UPDATE', [projectId]);
  const [{ underWay }] = await manager.query<[{ underWay: number }]>(
    `SELECT (SELECT count(*) FROM uploads WHERE project_id = $1 AND image_id IS NULL AND expires_at > now())
          + (SELECT count(*) FROM images JOIN image_imports ON image_id = id
             WHERE project_id = $1 AND finished_at IS NULL) AS "underWay"`,
    [projectId],
  );
  if (Number(underWay) < perProject) return;
  throw new ImportsError(
    'import_limit_reached',
    `a project may have ${perProject} uploads and imports under way: wait for one to end, or delete an upload`,
    { limit: perProject, used: Number(underWay) },
  );
}

export function taken(id: number): ImportsError {
  return new ImportsError('upload_taken', `upload ${id} is an image already, or becomes one`);
}

export function tooLarge({ maxFileBytes }: Pick<ImportSettings, 'maxFileBytes'>): ImportsError {
  return new ImportsError(
    'upload_too_large',
    `a file may have ${maxFileBytes} bytes: shrink the disk first`,
    {
      limit: maxFileBytes,
    },
  );
}
