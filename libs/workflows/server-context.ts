import type { EntityManager } from 'typeorm';
import { ServerType } from '#libs/catalog';
import { type DomainSpec, type HostRef, OUR_DEVICES, type OverlayBase } from '#libs/hypervisor';
import { Image } from '#libs/images';
import { Iso } from '#libs/isos';
import { type Address, addressOf } from '#libs/networks';
import { Host, toHostRef } from '#libs/placement';
import { PermanentError } from '#libs/saga';
import {
  diskVolumeName,
  domainName,
  FrozenDisk,
  type Rescue,
  rescueVolumeName,
  runningRescue,
  Server,
  systemImageId,
} from '#libs/servers';
import { attachedVolume, type Volume, volumesOfServer } from '#libs/volumes';

/** A server with the rows that its workflows need. */
export interface ServerContext {
  readonly server: Server;
  readonly type: ServerType;
  /** What its system is like: the image that it was made of, or the one that it was upgraded to. */
  readonly image: Image;
}

/** A server that has its place: a host and an address. */
export interface PlacedServer extends ServerContext {
  readonly host: HostRef;
  readonly address: Address;
  /** What its owner has attached to it. */
  readonly volumes: readonly Volume[];
  /** What is in its CD drive. */
  readonly iso: Iso | null;
  /** The rescue system that it has booted from; null: it runs from its own disk. */
  readonly rescue: Rescue | null;
}

/** @throws PermanentError `server_gone` */
export async function loadServer(manager: EntityManager, serverId: number): Promise<ServerContext> {
  const server = await manager.getRepository(Server).findOneBy({ id: serverId });
  if (!server) throw new PermanentError('server_gone', `there is no server ${serverId}`);
  const [type, image] = await Promise.all([
    manager.getRepository(ServerType).findOneByOrFail({ id: server.serverTypeId }),
    manager.getRepository(Image).findOneByOrFail({ id: systemImageId(server) }),
  ]);
  return { server, type, image };
}

/** The host that a server was placed on, or undefined when it has none (any more). */
export async function findHost(manager: EntityManager, server: Server): Promise<HostRef | undefined> {
  if (server.hostId === null) return undefined;
  const host = await manager.getRepository(Host).findOneBy({ id: server.hostId });
  return host ? toHostRef(host) : undefined;
}

/** @throws PermanentError `server_gone`, `server_not_placed` */
export async function loadPlaced(manager: EntityManager, serverId: number): Promise<PlacedServer> {
  const context = await loadServer(manager, serverId);
  const host = await findHost(manager, context.server);
  const address = await addressOf(manager, serverId);
  if (!host || !address) {
    throw new PermanentError('server_not_placed', `server ${serverId} has no host or no address`);
  }
  const volumes = await volumesOfServer(manager, serverId);
  const [rescue, iso] = await Promise.all([
    runningRescue(manager, serverId),
    isoOf(manager, context.server.isoId),
  ]);
  return { ...context, host, address, volumes, rescue, iso };
}

/** An ISO image; null where there is none. */
export async function isoOf(manager: EntityManager, id: number | null): Promise<Iso | null> {
  return id === null ? null : manager.getRepository(Iso).findOneByOrFail({ id });
}

/** The virtual machine of a server as it is defined on its host. */
export function domainSpec({
  server,
  type,
  address,
  volumes,
  rescue,
  iso,
}: Pick<PlacedServer, 'server' | 'type' | 'address' | 'volumes' | 'rescue' | 'iso'>): DomainSpec {
  return {
    uuid: server.domainUuid,
    name: domainName(server),
    serverId: server.id,
    vcpus: type.vcpus,
    memoryMib: type.memoryMib,
    diskVolume: diskVolumeName(server),
    mac: address.mac,
    ipv4: address.ip,
    network: server.network,
    volumes: volumes.map((volume) => attachedVolume(volume, volume.slot ?? 0)),
    ...(iso && { iso: iso.volumeName }),
    ...server.devices,
    ...(rescue && inRescue(rescue, server)),
  };
}

/**
 * The rescue system is ours, so it starts on what our images start on, whatever the server's own needs. The firmware stays, for
 * that may be what is to be mended.
 */
function inRescue(rescue: Rescue, { devices: { firmware } }: Server): Partial<DomainSpec> {
  return { ...OUR_DEVICES, firmware, rescue: { diskVolume: rescueVolumeName(rescue) } };
}

/** What a new disk of an image stands on. */
export async function baseOf(manager: EntityManager, image: Image): Promise<OverlayBase> {
  if (image.frozenDiskId === null) return { image: image.volumeName };
  const { volumeName } = await manager.getRepository(FrozenDisk).findOneByOrFail({ id: image.frozenDiskId });
  return { frozen: volumeName };
}
