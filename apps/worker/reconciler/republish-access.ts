import { type DataSource, IsNull, Not } from 'typeorm';
import { Image } from '#libs/images';
import type { AccessPublisher } from '#libs/networks';
import type { Host } from '#libs/placement';
import { isRetired, Server, systemImageId } from '#libs/servers';
import { publishAccess } from '#libs/workflows';

/** Publishes the ports of a host's servers again: after a restart, the relay may show them elsewhere. */
export async function republishAccess(
  dataSource: DataSource,
  access: AccessPublisher,
  host: Host,
): Promise<void> {
  const servers = await dataSource
    .getRepository(Server)
    .findBy({ hostId: host.id, deletedAt: IsNull(), readyAt: Not(IsNull()) });
  for (const server of servers) {
    if (server.desired === 'deleted' || !server.ipv4) continue;
    if (await isRetired(dataSource.manager, server.id)) continue;
    const image = await dataSource.getRepository(Image).findOneByOrFail({ id: systemImageId(server) });
    const shown = await publishAccess(access, image, { ip: server.ipv4, isHeld: true });
    if (JSON.stringify(shown) === JSON.stringify(server.access)) continue;
    await dataSource.getRepository(Server).update({ id: server.id }, { access: shown });
  }
}
