import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { runInTransaction } from '#libs/database';
import type { HostRef } from '#libs/hypervisor';
import { DomainError, newId } from '#libs/kernel';
import { firstPage, type ListQuery, type Page, pageOf } from '#libs/listing';
import { Host, type HostState } from './host.entity.ts';

export type NewHost = Omit<
  Host,
  'id' | 'state' | 'usedVcpus' | 'usedMemoryMib' | 'usedDiskGib' | 'lastSeenAt' | 'createdAt'
>;

/** The fleet as the operator knows it. */
@Injectable()
export class HostsService {
  constructor(private readonly dataSource: DataSource) {}

  /** Filters and sorts: id, name, state. */
  list(query: ListQuery = firstPage): Promise<Page<Host>> {
    const builder = this.dataSource.getRepository(Host).createQueryBuilder('host');
    const columns = { id: 'host.id', name: 'host.name', state: 'host.state' };
    return pageOf(builder, query, { id: 'host.id', filters: columns, sorts: columns });
  }

  all(): Promise<Host[]> {
    return this.dataSource.getRepository(Host).find({ order: { name: 'ASC' } });
  }

  /** @throws DomainError `host_unknown` */
  async get(id: number): Promise<Host> {
    const host = await this.dataSource.getRepository(Host).findOneBy({ id });
    if (!host) throw new DomainError('not_found', 'host_unknown', `there is no host ${id}`);
    return host;
  }

  /** @throws DomainError `host_unknown` */
  async getByName(name: string): Promise<Host> {
    const host = await this.dataSource.getRepository(Host).findOneBy({ name });
    if (!host) throw new DomainError('not_found', 'host_unknown', `there is no host ${name}`);
    return host;
  }

  /**
   * Adds a host, or renews what is known of the one with the same libvirt UUID. What is promised of it stays.
   * @throws DomainError `host_exists` when the name belongs to another machine.
   */
  async save(manager: EntityManager, host: NewHost): Promise<Host> {
    const repository = manager.getRepository(Host);
    const known = await repository.findOneBy({ hostUuid: host.hostUuid });
    const namesake = await repository.findOneBy({ name: host.name });
    if (namesake && namesake.hostUuid !== host.hostUuid) {
      throw new DomainError('conflict', 'host_exists', `another host is named ${host.name}; choose a name`);
    }
    const id = known?.id ?? newId();
    await repository.save(
      repository.create({ id, state: known?.state ?? 'active', ...host, lastSeenAt: new Date() }),
    );
    return repository.findOneByOrFail({ id });
  }

  /** @throws DomainError `host_unknown` */
  async setState(id: number, state: HostState): Promise<Host> {
    await this.get(id);
    await this.dataSource.getRepository(Host).update({ id }, { state });
    return this.get(id);
  }

  /**
   * Forgets a host. Nothing on the host itself is touched.
   * @throws DomainError `host_in_use` while a server is on it, or it or a volume has room there
   */
  remove(id: number): Promise<void> {
    return runInTransaction(this.dataSource, async (manager) => {
      // A reservation locks its host's row against this, and waits for it.
      await manager.query('SELECT FROM hosts WHERE id = $1 FOR UPDATE', [id]);
      const [standing] = await manager.query<{ servers: number }[]>(
        `SELECT count(*) AS servers FROM (
           SELECT server_id FROM reservations WHERE host_id = $1
           UNION SELECT id FROM servers WHERE host_id = $1 AND deleted_at IS NULL) AS s`,
        [id],
      );
      const servers = standing?.servers ?? 0;
      if (servers > 0) {
        throw new DomainError(
          'conflict',
          'host_in_use',
          `${servers} servers and volumes are on this host; drain it and delete them first`,
        );
      }
      await manager.query('UPDATE servers SET host_id = NULL WHERE host_id = $1', [id]);
      await manager.query('DELETE FROM hosts WHERE id = $1', [id]);
    });
  }

  /** Remembers that a host answered just now; one that was unreachable takes servers again. */
  async recordSeen(id: number): Promise<void> {
    await this.dataSource.query(
      `UPDATE hosts SET last_seen_at = now(), state = CASE state WHEN 'unreachable' THEN 'active' ELSE state END
       WHERE id = $1`,
      [id],
    );
  }

  /** A host that does not answer takes no new servers. */
  async recordUnreachable(id: number): Promise<void> {
    await this.dataSource.query(`UPDATE hosts SET state = 'unreachable' WHERE id = $1 AND state = 'active'`, [
      id,
    ]);
  }
}

/** What a hypervisor driver needs of a host's row. */
export function toHostRef(host: Host): HostRef {
  const { id, name, uri, domainType, imagePool, diskPool, bridge } = host;
  return { id, name, uri, domainType, imagePool, diskPool, bridge };
}
