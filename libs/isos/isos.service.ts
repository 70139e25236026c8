import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager, In, IsNull } from 'typeorm';
import { newId } from '#libs/kernel';
import { firstPage, type ListQuery, type Page, pageOf } from '#libs/listing';
import { Iso } from './iso.entity.ts';
import { attachIsoRequest, detachIsoRequest } from './iso-requests.ts';
import { IsosError } from './isos.errors.ts';

/** A file as it is registered. */
export type NewIso = Pick<Iso, 'name' | 'description' | 'sha256' | 'sizeBytes'>;

/** Also servers whose drive is being filled or emptied: what comes out goes back in where that fails. */
const IN_USE = `
  SELECT count(*)::int AS servers FROM servers s
  WHERE s.deleted_at IS NULL AND (s.iso_id = $1 OR EXISTS (
    SELECT FROM sagas g
    WHERE g.subject_type = 'server' AND g.subject_id = s.id AND g.finished_at IS NULL
      AND g.name IN ('${attachIsoRequest.name}', '${detachIsoRequest.name}')
      AND $1 IN ((g.params->>'isoId')::bigint, (g.params->>'formerIsoId')::bigint)))`;

/** ISO images, and which hosts have them. */
@Injectable()
export class IsosService {
  constructor(private readonly dataSource: DataSource) {}

  /** Filters: name. Sorts: id, name. */
  list(query: ListQuery = firstPage): Promise<Page<Iso>> {
    const builder = this.dataSource
      .getRepository(Iso)
      .createQueryBuilder('iso')
      .where('iso.deletedAt IS NULL');
    const columns = { id: 'iso.id', name: 'iso.name' };
    return pageOf(builder, query, { id: 'iso.id', filters: { name: 'iso.name' }, sorts: columns });
  }

  /** @throws IsosError `iso_not_found` */
  async get(id: number): Promise<Iso> {
    return (await this.find({ id })) ?? notFound(id);
  }

  /** By id or name. @throws IsosError `iso_not_found` */
  async resolve(idOrName: string): Promise<Iso> {
    const id = Number(idOrName);
    const byId = Number.isSafeInteger(id) ? await this.find({ id }) : null;
    return byId ?? (await this.find({ name: idOrName })) ?? notFound(idOrName);
  }

  /** Rows by id; unknown ids are left out. */
  byIds(ids: readonly number[]): Promise<Iso[]> {
    return this.dataSource.getRepository(Iso).findBy({ id: In([...ids]) });
  }

  /** The same bytes under the same name keep their row, and take the newest words. @throws IsosError `iso_name_taken` */
  async register(manager: EntityManager, { name, description, sha256, sizeBytes }: NewIso): Promise<Iso> {
    const repository = manager.getRepository(Iso);
    const known = await repository.findOneBy({ name, deletedAt: IsNull() });
    if (known && known.sha256 !== sha256) {
      const message = `another file is registered as ${name}: remove that first, or choose another name`;
      throw new IsosError('iso_name_taken', message);
    }
    const fresh = { id: newId(), volumeName: `iso-${sha256.slice(0, 16)}.iso` };
    return repository.save(repository.create({ ...(known ?? fresh), name, description, sha256, sizeBytes }));
  }

  /** Remembers that a host has it whole. @returns whether that is new */
  async recordOnHost(manager: EntityManager, isoId: number, hostId: number): Promise<boolean> {
    const added = await manager.query<unknown[]>(
      'INSERT INTO host_isos (iso_id, host_id) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING iso_id',
      [isoId, hostId],
    );
    return added.length > 0;
  }

  /** From now on nobody can attach it. @throws IsosError `iso_in_use` */
  async withdraw(manager: EntityManager, { id, name }: Iso): Promise<void> {
    await manager.getRepository(Iso).findOne({ where: { id }, lock: { mode: 'pessimistic_write' } });
    const [row] = await manager.query<{ servers: number }[]>(IN_USE, [id]);
    if (row && row.servers > 0) {
      throw new IsosError('iso_in_use', `${row.servers} servers have ${name} in their CD drive`);
    }
    await manager.update(Iso, { id }, { deletedAt: new Date() });
  }

  /** False where another image has the same file. */
  async isLastOfItsFile(manager: EntityManager, { volumeName }: Iso): Promise<boolean> {
    return !(await manager.getRepository(Iso).existsBy({ volumeName, deletedAt: IsNull() }));
  }

  private find(by: { readonly id: number } | { readonly name: string }): Promise<Iso | null> {
    return this.dataSource.getRepository(Iso).findOneBy({ ...by, deletedAt: IsNull() });
  }
}

function notFound(idOrName: number | string): never {
  throw new IsosError('iso_not_found', `there is no ISO image ${idOrName}`, 'iso');
}
