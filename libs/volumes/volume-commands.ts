import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { closeServer } from '#libs/billing';
import { isUniqueViolation, runInTransaction } from '#libs/database';
import { OrdersService } from '#libs/orders';
import { changeReservation, reserve } from '#libs/placement';
import { SagaQueue } from '#libs/queue';
import { SagaStore, type SagaWakeUp } from '#libs/saga';
import { Action, admitToServer, type Server } from '#libs/servers';
import { startOnVolume } from './start-on-volume.ts';
import { Volume, type VolumeFormat } from './volume.entity.ts';
import { admitToVolume, admitVolumeGib, freeSlot, lockVolume } from './volume-admission.ts';
import {
  attachVolumeRequest,
  createVolumeRequest,
  deleteVolumeRequest,
  detachVolumeRequest,
  resizeVolumeRequest,
} from './volume-requests.ts';
import { VolumesError, volumeNameTaken } from './volumes.errors.ts';

/** A volume as it is asked for. */
export interface WantedVolume {
  /** Made by `newId()`; the same one whenever the request is repeated. */
  readonly volumeId: number;
  readonly accountId: number;
  readonly projectId: number;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly sizeGib: number;
  readonly format: VolumeFormat | null;
  readonly currency: string;
  /** Where it is made: at a server's, which gets it, or in a location. */
  readonly place:
    | { readonly serverId: number; readonly automount: boolean }
    | { readonly locationId: number };
}

/** A volume that is being made, and what is done to it, in order: its making, and its attaching where it has a server. */
export interface RequestedVolume {
  readonly volume: Volume;
  readonly actions: readonly Action[];
}

interface Begun {
  readonly action: Action;
  readonly wakeUp: SagaWakeUp;
}

/** Asks for the long operations on volumes. Each writes its action and its saga in one transaction. */
@Injectable()
export class VolumeCommands {
  constructor(
    private readonly dataSource: DataSource,
    private readonly sagas: SagaStore,
    private readonly queue: SagaQueue,
    @Inject(OrdersService) private readonly orders: Pick<OrdersService, 'assertMayOrder'>,
  ) {}

  /**
   * Orders a volume; the same `volumeId` again gets what was made first.
   * @throws VolumesError `volume_name_taken`, `volume_limit_exceeded` and those of `attach`; DomainError
   * `resource_unavailable`, and of the account's standing, payment method or credit
   */
  async create(wanted: WantedVolume): Promise<RequestedVolume> {
    const known = await this.findMade(wanted);
    if (known) return known;
    await this.orders.assertMayOrder(wanted.accountId);
    const { wakeUps, ...made } = await runInTransaction(this.dataSource, (manager) =>
      this.makeWithin(manager, wanted),
    ).catch((error: unknown) => {
      throw isUniqueViolation(error, 'volumes_name_in_project') ? volumeNameTaken(wanted.name) : error;
    });
    for (const wakeUp of wakeUps) await this.queue.poke(wakeUp);
    return made;
  }

  /**
   * Gives the volume to a server, which runs or not. `automount`: where its guest agent answers, and the volume has a
   * file system, it is mounted, then and at each boot.
   * @throws VolumesError `volume_already_attached`, `volume_in_another_location`, `volume_bus_unsupported`,
   * `volume_slots_taken`, `volume_locked`; ServersError `server_not_found`, `server_not_ready`, `server_locked`
   */
  attach(projectId: number, id: number, serverId: number, automount: boolean): Promise<Action> {
    return this.transaction(async (manager) => {
      const server = await admitToServer(manager, projectId, serverId);
      const volume = await admitToVolume(manager, projectId, id);
      if (volume.serverId !== null) {
        const message = `the volume is attached to server ${volume.serverId}: detach it first`;
        throw new VolumesError('volume_already_attached', message);
      }
      return this.startAttaching(manager, volume, server, automount);
    });
  }

  /** Takes the volume from its server. @throws VolumesError `volume_not_attached`, `volume_locked`; ServersError */
  detach(projectId: number, id: number): Promise<Action> {
    return this.transaction(async (manager) => {
      const volume = await this.withItsServer(manager, projectId, id);
      const { serverId } = volume;
      if (serverId === null) throw new VolumesError('volume_not_attached', 'no server has the volume');
      const params = { volumeId: id, serverId };
      const what = { request: detachVolumeRequest, params, command: 'detach_volume', serverId };
      return startOnVolume(manager, this.sagas, volume, what);
    });
  }

  /**
   * Makes the volume larger, whether a server uses it or not; its file system is its owner's to grow.
   * @throws VolumesError `volume_not_larger`, `volume_limit_exceeded`, `volume_locked`; DomainError `resource_unavailable`
   */
  async resize(projectId: number, id: number, sizeGib: number): Promise<Action> {
    const [row] = await this.dataSource.getRepository(Volume).findBy({ id, projectId });
    if (row) await this.orders.assertMayOrder(row.accountId);
    return this.transaction(async (manager) => {
      const volume = await this.withItsServer(manager, projectId, id);
      const { serverId, accountId } = volume;
      if (sizeGib <= volume.sizeGib) {
        const message = `the volume has ${volume.sizeGib} GB already, and volumes only grow`;
        throw new VolumesError('volume_not_larger', message, 'size');
      }
      await admitVolumeGib(manager, accountId, sizeGib - volume.sizeGib);
      await changeReservation(manager, id, { vcpus: 0, memoryMib: 0, diskGib: sizeGib });
      const params = { volumeId: id, serverId, sizeGib };
      const what = { request: resizeVolumeRequest, params, command: 'resize_volume', serverId };
      return startOnVolume(manager, this.sagas, volume, what);
    });
  }

  /**
   * Billing ends with this call, and all that is on it is lost.
   * @throws VolumesError `volume_still_attached`, `volume_protected`, `volume_suspended`, `volume_locked`
   */
  async delete(projectId: number, id: number): Promise<void> {
    await this.transaction(async (manager) => {
      const volume = await admitToVolume(manager, projectId, id, { forDeletion: true });
      if (volume.isDeleteProtected) {
        throw new VolumesError('volume_protected', 'the volume is protected: take its protection away first');
      }
      return requestVolumeDeletion(manager, this.sagas, volume);
    });
  }

  private async makeWithin(manager: EntityManager, wanted: WantedVolume) {
    const { volumeId, accountId, projectId, place, sizeGib } = wanted;
    const server = 'serverId' in place ? await admitToServer(manager, projectId, place.serverId) : undefined;
    await admitVolumeGib(manager, accountId, sizeGib);
    const locationId = server?.locationId ?? ('locationId' in place ? place.locationId : Number.NaN);
    const { name, labels, format, currency } = wanted;
    await manager.insert(Volume, {
      ...{ id: volumeId, accountId, projectId, locationId, name, sizeGib, format, currency },
      labels: { ...labels },
    });
    const demand = { vcpus: 0, memoryMib: 0, diskGib: sizeGib, imageId: null, locationId };
    const only = server?.hostId ? { hostId: server.hostId } : {};
    const hostId = await reserve(manager, { ...demand, ...only, serverId: volumeId });
    await manager.update(Volume, { id: volumeId }, { hostId });
    const volume = await lockVolume(manager, projectId, volumeId);
    const what = {
      request: createVolumeRequest,
      params: { volumeId },
      command: 'create_volume',
      serverId: null,
    };
    const begun = [await startOnVolume(manager, this.sagas, volume, what)];
    if (server && 'serverId' in place) {
      begun.push(await this.startAttaching(manager, volume, server, place.automount));
    }
    return { volume, actions: begun.map(({ action }) => action), wakeUps: begun.map(({ wakeUp }) => wakeUp) };
  }

  private async startAttaching(
    manager: EntityManager,
    volume: Volume,
    server: Server,
    automount: boolean,
  ): Promise<Begun> {
    const slot = await freeSlot(manager, server);
    if (volume.locationId !== server.locationId) {
      const message = 'the server is in another location than the volume';
      throw new VolumesError('volume_in_another_location', message, 'server');
    }
    const params = { volumeId: volume.id, serverId: server.id, slot, automount };
    const what = { request: attachVolumeRequest, params, command: 'attach_volume', serverId: server.id };
    return startOnVolume(manager, this.sagas, volume, what);
  }

  /** Servers are locked before volumes, by everybody, so that none waits for the other. */
  private async withItsServer(manager: EntityManager, projectId: number, id: number): Promise<Volume> {
    const seen = await manager.getRepository(Volume).findOneBy({ id, projectId });
    if (seen?.serverId) await admitToServer(manager, projectId, seen.serverId);
    const volume = await admitToVolume(manager, projectId, id);
    if (volume.serverId === (seen?.serverId ?? null)) return volume;
    throw new VolumesError(
      'volume_locked',
      'the volume was just given to, or taken from, a server: try again',
    );
  }

  private async findMade({ volumeId, projectId }: WantedVolume): Promise<RequestedVolume | undefined> {
    const { manager } = this.dataSource;
    const volume = await manager.getRepository(Volume).findOneBy({ id: volumeId, projectId });
    if (!volume) return undefined;
    const of = { where: { volumeId }, order: { startedAt: 'ASC', command: 'DESC' }, take: 2 } as const;
    const actions = await manager.getRepository(Action).find(of);
    const isOfMaking = ({ command }: Action) => command === 'create_volume' || command === 'attach_volume';
    return { volume, actions: actions.filter(isOfMaking) };
  }

  private async transaction(work: (manager: EntityManager) => Promise<Begun>): Promise<Action> {
    const { action, wakeUp } = await runInTransaction(this.dataSource, work);
    await this.queue.poke(wakeUp);
    return action;
  }
}

/**
 * Asks for the deletion of a volume, whose row the caller has locked: nobody sees it any more, and it is not billed.
 * @throws VolumesError `volume_still_attached`
 */
export async function requestVolumeDeletion(
  manager: EntityManager,
  sagas: SagaStore,
  volume: Volume,
): Promise<Begun> {
  const { id: volumeId, serverId } = volume;
  if (serverId !== null) {
    const message = `the volume is attached to server ${serverId}: detach it first`;
    throw new VolumesError('volume_still_attached', message);
  }
  await closeServer(manager, volumeId);
  await manager.query('UPDATE volumes SET deleted_at = now() WHERE id = $1', [volumeId]);
  const what = { request: deleteVolumeRequest, params: { volumeId }, command: 'delete_volume', serverId };
  return startOnVolume(manager, sagas, volume, what);
}
