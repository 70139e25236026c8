import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager, Not } from 'typeorm';
import { runInTransaction } from '#libs/database';
import { type HostRef, LOST_URI } from '#libs/hypervisor';
import { DomainError, newId } from '#libs/kernel';
import { firstPage, type ListQuery, type Page, pageOf } from '#libs/listing';
import { Host, type HostState } from './host.entity.ts';
import type { PlacementErrorCode } from './placement.errors.ts';

export type NewHost = Omit<
  Host,
  | 'id'
  | 'state'
  | 'usedVcpus'
  | 'usedMemoryMib'
  | 'usedDiskGib'
  | 'lastSeenAt'
  | 'createdAt'
  | keyof HostStorage
>;

/** Where a host's disks lie, and at which paths. */
export type HostStorage = Pick<Host, 'storageId' | 'diskPoolPath' | 'imagePoolPath' | 'storageProvenAt'>;

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

  /** All but those that are lost. */
  existing(): Promise<Host[]> {
    return this.dataSource
      .getRepository(Host)
      .find({ where: { state: Not('lost') }, order: { name: 'ASC' } });
  }

  /** @throws DomainError `host_unknown` */
  async get(id: number): Promise<Host> {
    const host = await this.dataSource.getRepository(Host).findOneBy({ id });
    if (!host) throw new DomainError('not_found', 'host_unknown', `there is no host ${id}`);
    return host;
  }

  findByName(name: string): Promise<Host | null> {
    return this.dataSource.getRepository(Host).findOneBy({ name });
  }

  /** @throws DomainError `host_unknown` */
  async getByName(name: string): Promise<Host> {
    const host = await this.findByName(name);
    if (!host) throw new DomainError('not_found', 'host_unknown', `there is no host ${name}`);
    return host;
  }

  /**
   * Adds a host, or renews what is known of the one with the same libvirt UUID. What is promised of it stays; which
   * storage it shows is to be found out anew.
   * @throws DomainError `host_exists` when name or URI belong to another machine; `host_invalid` when less is left of it
   * than is promised; `host_in_use` when it is to stand elsewhere than its servers; `host_lost` until it was removed.
   */
  async save(manager: EntityManager, host: NewHost): Promise<Host> {
    const repository = manager.getRepository(Host);
    const known = await repository.findOneBy({ hostUuid: host.hostUuid });
    const namesakes = await repository.findBy([{ name: host.name }, { uri: host.uri }]);
    const other = namesakes.find(({ hostUuid }) => hostUuid !== host.hostUuid);
    if (other) {
      const advice = other.name === host.name ? 'choose a name' : 'remove that first';
      const message = `another machine is known as host ${other.name}, at ${other.uri}; ${advice}`;
      throw new DomainError('conflict', 'host_exists', message);
    }
    if (known?.state === 'lost') throw hostLost(known);
    if (known) assertKeepsPromises(known, host);
    const id = known?.id ?? newId();
    await repository.save(
      repository.create({
        ...{ id, state: known?.state ?? 'active', ...host, lastSeenAt: new Date() },
        ...{ storageId: null, diskPoolPath: null, imagePoolPath: null, storageProvenAt: null },
      }),
    );
    return repository.findOneByOrFail({ id });
  }

  /** Other hosts that are said to show this storage, those that work first. */
  withStorage(storageId: string, except: Host): Promise<Host[]> {
    return this.dataSource
      .getRepository(Host)
      .createQueryBuilder('host')
      .where('host.storageId = :storageId AND host.id <> :id', { storageId, id: except.id })
      .orderBy("host.state = 'unreachable'")
      .addOrderBy('host.id')
      .getMany();
  }

  /** Remembers which storage a host shows. Hosts of one storage, at the same paths, may stand on each other's disks. */
  async recordStorage(id: number, storage: HostStorage): Promise<void> {
    await this.dataSource.getRepository(Host).update({ id }, storage);
  }

  /** For each host that stands on the disks of others, and they on its, their names. */
  async peers(): Promise<ReadonlyMap<number, readonly string[]>> {
    const rows = await this.dataSource.query<{ id: number; names: string[] }[]>(
      `SELECT p.host_id AS id, array_agg(h.name ORDER BY h.name) AS names
       FROM storage_peers p JOIN hosts h ON h.id = p.peer_id WHERE p.peer_id <> p.host_id GROUP BY 1`,
    );
    return new Map(rows.map(({ id, names }) => [id, names]));
  }

  /** @throws DomainError `host_unknown`, `host_lost` */
  async setState(id: number, state: Exclude<HostState, 'lost'>): Promise<Host> {
    const hosts = this.dataSource.getRepository(Host);
    const { affected } = await hosts.update({ id, state: Not('lost') }, { state });
    const host = await this.get(id);
    if (affected === 0) throw hostLost(host);
    return host;
  }

  /**
   * Forgets a host. Nothing on the host itself is touched; a host that shows the same storage keeps what was frozen there.
   * @throws DomainError `host_in_use` while a server is on it, or it or a volume has room there, or a snapshot lies there alone
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
      await handOverFrozen(manager, id);
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

  /** A host that does not answer takes no new servers, and may show other storage when it is back. */
  async recordUnreachable(id: number): Promise<void> {
    await this.dataSource.query(
      `UPDATE hosts SET state = CASE state WHEN 'active' THEN 'unreachable' ELSE state END, storage_proven_at = NULL
       WHERE id = $1`,
      [id],
    );
  }
}

/** Nothing is asked of the host any more, and it shows no storage. False where that was so already. */
export async function markLost(manager: EntityManager, id: number): Promise<boolean> {
  const storage = { storageId: null, diskPoolPath: null, imagePoolPath: null, storageProvenAt: null };
  const lost = { state: 'lost', ...storage } as const;
  const { affected } = await manager.getRepository(Host).update({ id, state: Not('lost') }, lost);
  return affected === 1;
}

function hostLost({ name }: Host): DomainError {
  const message = `${name} is lost: remove it when nothing is left on it; should its machine come back, add it then`;
  return new DomainError('conflict', 'host_lost' satisfies PlacementErrorCode, message);
}

/** What servers and volumes have of a host cannot become less, and their addresses are of where it stands. */
function assertKeepsPromises(known: Host, host: NewHost): void {
  const { usedVcpus, usedMemoryMib, usedDiskGib } = known;
  const isLess = usedVcpus > host.vcpus || usedMemoryMib > host.memoryMib || usedDiskGib > host.diskGib;
  if (isLess) {
    const promised = `${usedVcpus} vCPUs, ${usedMemoryMib} MiB and ${usedDiskGib} GiB`;
    throw new DomainError('conflict', 'host_invalid', `${promised} of ${known.name} are promised already`);
  }
  if (usedDiskGib > 0 && known.locationId !== host.locationId) {
    const message = `servers and volumes are on ${known.name}; it stays in their location until they are deleted`;
    throw new DomainError('conflict', 'host_in_use', message);
  }
}

/**
 * Who keeps a disk has the image that it ends in, so it goes to none that lacks that.
 * @throws DomainError `host_in_use` where a frozen disk can be kept by no other host
 */
async function handOverFrozen(manager: EntityManager, id: number): Promise<void> {
  await manager.query(
    `WITH moved AS (
       UPDATE frozen_disks f SET host_id = CASE WHEN removed_at IS NULL THEN coalesce(
         (SELECT h.id FROM storage_peers p JOIN hosts h ON h.id = p.peer_id
          JOIN host_images i ON i.host_id = h.id AND i.image_id = f.golden_image_id
          WHERE p.host_id = $1 AND h.id <> $1 ORDER BY h.state = 'unreachable', h.id LIMIT 1), host_id) END
       WHERE host_id = $1 RETURNING id, host_id)
     INSERT INTO host_images (host_id, image_id)
     SELECT m.host_id, i.id FROM moved m JOIN images i ON i.frozen_disk_id = m.id
     WHERE m.host_id IS NOT NULL AND i.deleted_at IS NULL ON CONFLICT DO NOTHING`,
    [id],
  );
  const [left] = await manager.query<{ disks: number }[]>(
    'SELECT count(*) AS disks FROM frozen_disks WHERE host_id = $1',
    [id],
  );
  const disks = left?.disks ?? 0;
  if (disks === 0) return;
  throw new DomainError(
    'conflict',
    'host_in_use',
    `${disks} disks that snapshots, backups or exports need are on this host alone, or lack their image on the others: ` +
      'delete those, or publish the images there',
  );
}

/** What a hypervisor driver needs of a host's row. Of one that is lost it does not get the way there. */
export function toHostRef(host: Host): HostRef {
  const { id, name, state, domainType, imagePool, diskPool, bridge } = host;
  const uri = state === 'lost' ? LOST_URI : host.uri;
  return { id, name, uri, domainType, imagePool, diskPool, bridge };
}
