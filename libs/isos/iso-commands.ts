import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager, IsNull } from 'typeorm';
import { runInTransaction } from '#libs/database';
import { SagaQueue } from '#libs/queue';
import { SagaStore } from '#libs/saga';
import {
  type Action,
  admitToServer,
  recordDone,
  type Server,
  ServersError,
  startOnServer,
} from '#libs/servers';
import { Iso } from './iso.entity.ts';
import { attachIsoRequest, detachIsoRequest } from './iso-requests.ts';
import { IsosError } from './isos.errors.ts';

/** Asks for ISO images to come into servers' CD drives, and out of them. */
@Injectable()
export class IsoCommands {
  constructor(
    private readonly dataSource: DataSource,
    private readonly sagas: SagaStore,
    private readonly queue: SagaQueue,
  ) {}

  /**
   * Puts the image into the server's CD drive, in place of what is in it: the server sees it at once where it runs, and
   * boots from it before its own disk.
   * @throws IsosError `iso_bus_unsupported`, `iso_unavailable`, `iso_not_found`; ServersError `server_not_found`,
   * `server_not_ready`, `server_locked`, `server_suspended`
   */
  async attach(projectId: number, serverId: number, isoId: number): Promise<Action> {
    const { action, wakeUp } = await runInTransaction(this.dataSource, async (manager) => {
      const server = await admitToServer(manager, projectId, serverId);
      await assertAttachable(manager, server, isoId);
      const params = { serverId, isoId, formerIsoId: server.isoId };
      const what = { request: attachIsoRequest, params, command: 'attach_iso' };
      return startOnServer(manager, this.sagas, server, what);
    });
    await this.queue.poke(wakeUp);
    return action;
  }

  /** Empties the server's CD drive; where it is empty that is done already. @throws ServersError */
  async detach(projectId: number, serverId: number): Promise<Action> {
    const { action, wakeUp } = await runInTransaction(this.dataSource, async (manager) => {
      const server = await admitToServer(manager, projectId, serverId);
      const command = 'detach_iso';
      if (server.isoId === null) {
        return { action: await recordDone(manager, { projectId, serverId, command }), wakeUp: null };
      }
      const what = { request: detachIsoRequest, params: { serverId, isoId: server.isoId }, command };
      return startOnServer(manager, this.sagas, server, what);
    });
    if (wakeUp) await this.queue.poke(wakeUp);
    return action;
  }
}

async function assertAttachable(manager: EntityManager, server: Server, isoId: number): Promise<void> {
  if (!server.readyAt) throw new ServersError('server_not_ready', 'the server is not ready yet');
  const { diskBus } = server.devices;
  if (diskBus !== 'virtio') {
    const message = `a CD drive needs virtio, and this server's disk is on ${diskBus}`;
    throw new IsosError('iso_bus_unsupported', message);
  }
  // Locked, so that it is not withdrawn before its workflow has put it in.
  const there = { where: { id: isoId, deletedAt: IsNull() }, lock: { mode: 'pessimistic_read' } } as const;
  if (!(await manager.getRepository(Iso).findOne(there))) {
    throw new IsosError('iso_not_found', `there is no ISO image ${isoId}`, 'iso');
  }
  const [onHost] = await manager.query<unknown[]>(
    'SELECT FROM host_isos WHERE iso_id = $1 AND host_id = $2',
    [isoId, server.hostId],
  );
  if (onHost) return;
  throw new IsosError(
    'iso_unavailable',
    'the host of this server does not have this ISO image: ask the operator',
  );
}
