import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager, IsNull } from 'typeorm';
import { isEvidence } from '#libs/accounts';
import { runInTransaction } from '#libs/database';
import { firstPage, type ListQuery, type Page, pageOf } from '#libs/listing';
import { SagaStore } from '#libs/saga';
import { exportNotFound } from './download-links.ts';
import { Export } from './export.entity.ts';
import { exportsError } from './exports.errors.ts';

/** What a saga of an export is about. */
export function exportSubjectOf(exportId: number): { readonly type: 'export'; readonly id: number } {
  return { type: 'export', id: exportId };
}

/** The exports of projects: looking at them, and giving them up. */
@Injectable()
export class ExportsService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly sagas: SagaStore,
  ) {}

  /** Filters: server, image, status. Sorts: id, created, expires. Deleted ones are not listed. */
  list(projectId: number, query: ListQuery = firstPage): Promise<Page<Export>> {
    const builder = this.dataSource
      .getRepository(Export)
      .createQueryBuilder('export')
      .where('export.projectId = :projectId', { projectId })
      .andWhere('export.deletedAt IS NULL');
    return pageOf(builder, query, {
      id: 'export.id',
      filters: { server: 'export.serverId', image: 'export.imageId', status: 'export.state' },
      sorts: { id: 'export.id', created: 'export.createdAt', expires: 'export.expiresAt' },
    });
  }

  /** @throws DomainError `export_not_found`, also when it is another project's */
  async get(projectId: number, id: number): Promise<Export> {
    const found = await this.dataSource
      .getRepository(Export)
      .findOneBy({ id, projectId, deletedAt: IsNull() });
    if (!found) throw exportNotFound(id);
    return found;
  }

  /** @throws DomainError `export_not_found` where its file is not to be had (any more) */
  async assertAvailable(id: number): Promise<void> {
    const isThere = await this.dataSource
      .getRepository(Export)
      .existsBy({ id, state: 'available', deletedAt: IsNull() });
    if (!isThere) throw exportNotFound(id);
  }

  /**
   * Gives an export up, whose links stop working at once. One that is being made is taken back; the worker removes the
   * file.
   * @throws DomainError `export_not_found`, `export_account_suspended`
   */
  async delete(projectId: number, id: number): Promise<void> {
    await runInTransaction(this.dataSource, async (manager) => {
      const [[deleted]] = await manager.query<[{ state: string }[], number]>(
        `UPDATE exports SET deleted_at = now() WHERE id = $1 AND project_id = $2 AND deleted_at IS NULL RETURNING state`,
        [id, projectId],
      );
      if (!deleted) throw exportNotFound(id);
      await refuseWhileEvidence(manager, projectId);
      const subject = exportSubjectOf(id);
      for (const saga of await this.sagas.list({ subject, states: ['running', 'stuck'] }, manager)) {
        await this.sagas.requestUndo(manager, saga.id, 'it was deleted');
      }
    });
  }
}

/** @throws DomainError `export_account_suspended` */
async function refuseWhileEvidence(manager: EntityManager, projectId: number): Promise<void> {
  if (!(await isEvidence(manager, projectId))) return;
  const message =
    'the export is kept while its account is suspended for abuse: answer the notice that you were sent';
  throw exportsError('export_account_suspended', message, { reasons: ['abuse'] });
}
