import type { EntityManager } from 'typeorm';
import { VOLUME_SLOTS } from '#libs/hypervisor';
import type { ClaimedVolumes, OrderedVolumes } from '#libs/orders';
import { type AlongDisk, areReachedTogether } from '#libs/placement';
import { Volume } from './volume.entity.ts';
import { admitToVolume, refuseBus } from './volume-admission.ts';
import { VolumesError, volumeNotFound } from './volumes.errors.ts';

type OrderedServer = Parameters<OrderedVolumes['claim']>[1];

/**
 * Volumes of a project that a server is ordered with, in the order of their slots: it has them from its order on, and
 * whatever becomes of that, they are as they were.
 *
 * Claiming throws VolumesError `volume_not_found`, `volume_locked`, `volume_suspended`, `volume_already_attached`,
 * `volume_in_another_location`, `volume_bus_unsupported`, `volume_slots_taken`, `volumes_apart`.
 */
export function volumesAlong(
  projectId: number,
  ids: readonly number[],
  { automount }: { readonly automount: boolean },
): OrderedVolumes {
  return {
    automount,
    locationId: async (manager) => {
      const [id = Number.NaN] = ids;
      const volume = await manager.getRepository(Volume).findOneBy({ id, projectId });
      if (!volume) throw volumeNotFound(id);
      return volume.locationId;
    },
    claim: (manager, server) => claim(manager, projectId, ids, server),
  };
}

/** The disk of a volume that a server has from the start; none where its host is forgotten. */
export function diskAlong({ hostId, sizeGib, hasData }: Volume): AlongDisk[] {
  return hostId === null ? [] : [{ hostId, diskGib: sizeGib, stays: hasData }];
}

async function claim(
  manager: EntityManager,
  projectId: number,
  ids: readonly number[],
  server: OrderedServer,
): Promise<ClaimedVolumes> {
  refuseBus(server.image.devices, 'volumes');
  if (ids.length > VOLUME_SLOTS) {
    const message = `a server can have ${VOLUME_SLOTS} volumes`;
    throw new VolumesError('volume_slots_taken', message, 'volumes', { limit: VOLUME_SLOTS });
  }
  const volumes: Volume[] = [];
  // By their ids, so that of two orders none waits for the other.
  for (const id of ids.toSorted((a, b) => a - b)) {
    volumes.push(await admitFree(manager, projectId, id, server));
  }
  volumes.sort((a, b) => ids.indexOf(a.id) - ids.indexOf(b.id));
  await refuseApart(manager, volumes);
  return {
    disks: volumes.flatMap(diskAlong),
    statements: [
      {
        text: `UPDATE volumes v SET server_id = $1, slot = w.place - 1
               FROM unnest($2::bigint[]) WITH ORDINALITY AS w (id, place) WHERE v.id = w.id`,
        values: [server.serverId, ids],
      },
    ],
  };
}

async function admitFree(
  manager: EntityManager,
  projectId: number,
  id: number,
  { location }: OrderedServer,
): Promise<Volume> {
  const volume = await admitToVolume(manager, projectId, id);
  if (volume.serverId !== null) {
    const message = `volume ${id} is attached to server ${volume.serverId}: detach it first`;
    throw new VolumesError('volume_already_attached', message, 'volumes');
  }
  if (volume.locationId !== location.id) {
    const message = `volume ${id} is in another location than ${location.name}: order the server there`;
    throw new VolumesError('volume_in_another_location', message, 'volumes');
  }
  return volume;
}

/** Where data is, the server has to be. @throws VolumesError `volumes_apart` */
async function refuseApart(manager: EntityManager, volumes: readonly Volume[]): Promise<void> {
  const bound = volumes.filter(({ hasData }) => hasData);
  const byHost = Map.groupBy(bound, ({ hostId }) => hostId ?? Number.NaN);
  if (byHost.size < 2 || (await areReachedTogether(manager, [...byHost.keys()]))) return;
  const together = [...byHost.values()].map((group) => group.map(({ id }) => id));
  const named = together.map((ids) => ids.join(' and ')).join(' | ');
  const message =
    `these volumes lie on different hosts (${named}): order the server with those of one host, and attach the ` +
    'others when it is ready; their data is brought to it then';
  throw new VolumesError('volumes_apart', message, 'volumes', { together });
}
