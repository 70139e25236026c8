import { type DataSource, IsNull, Not } from 'typeorm';
import { Image } from '#libs/images';
import type { AccessPublisher } from '#libs/networks';
import type { Host } from '#libs/placement';
import { isRetired, Server, systemImageId } from '#libs/servers';
import { publishAccess } from '#libs/workflows';
import { isStillIdle } from './host-world.ts';

/**
 * Publishes the ports of a host's servers again: after a restart, the relay may show them elsewhere, and a workflow that was
 * given up may have left others open. A server that a workflow is at may be about to be of another image, so it is left alone.
 */
export async function republishAccess(
  dataSource: DataSource,
  access: AccessPublisher,
  host: Host,
): Promise<void> {
  const servers = dataSource.getRepository(Server);
  const ready = { hostId: host.id, deletedAt: IsNull(), readyAt: Not(IsNull()) };
  for (const { id } of await servers.find({ select: { id: true }, where: ready })) {
    if (!(await isStillIdle(dataSource, { id }))) continue;
    // As it is now: it was idle, and nothing has changed its image since.
    const server = await servers.findOneByOrFail({ id });
    if (server.desired === 'deleted' || !server.ipv4) continue;
    if (await isRetired(dataSource.manager, id)) continue;
    const image = await dataSource.getRepository(Image).findOneByOrFail({ id: systemImageId(server) });
    const shown = await publishAccess(access, image, { ip: server.ipv4, isHeld: true });
    if (JSON.stringify(shown) === JSON.stringify(server.access)) continue;
    await servers.update({ id, imageId: server.imageId }, { access: shown });
  }
}
