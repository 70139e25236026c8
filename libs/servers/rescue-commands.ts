import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { runInTransaction } from '#libs/database';
import { newId } from '#libs/kernel';
import { SagaQueue } from '#libs/queue';
import { SagaStore } from '#libs/saga';
import type { Action } from './action.entity.ts';
import { Rescue } from './rescue.entity.ts';
import { newPassword, SecretsStore } from './secrets.store.ts';
import type { Server } from './server.entity.ts';
import { admit } from './server-admission.ts';
import { disableRescueRequest, enableRescueRequest } from './server-requests.ts';
import { ServersError } from './servers.errors.ts';
import { startOnServer } from './start-on-server.ts';

/** Asks for rescue systems: what a server starts from once, beside its own disk. */
@Injectable()
export class RescueCommands {
  constructor(
    private readonly dataSource: DataSource,
    private readonly sagas: SagaStore,
    private readonly queue: SagaQueue,
    private readonly secrets: SecretsStore,
  ) {}

  /**
   * The server's next boot that is asked of us is from a rescue system, if it comes within an hour. It lets `sshPublicKeys`
   * in, or a password where there are none, which is told here and never again.
   * @throws ServersError `server_not_ready`, `server_locked`, `server_suspended`, `rescue_unavailable`, `image_too_large`
   */
  async enable(
    projectId: number,
    serverId: number,
    sshPublicKeys: readonly string[],
  ): Promise<{ action: Action; rootPassword: string | null }> {
    const password = sshPublicKeys.length > 0 ? null : newPassword();
    const { action, wakeUp } = await runInTransaction(this.dataSource, async (manager) => {
      const server = await admit(manager, projectId, serverId);
      if (!server.readyAt) throw new ServersError('server_not_ready', 'the server is not ready yet');
      const rescue = { id: newId(), serverId, imageId: await imageFor(manager, server) };
      await manager.insert(Rescue, { ...rescue, sshPublicKeys: [...sshPublicKeys] });
      if (password !== null) await this.secrets.put(manager, serverId, 'rescue_password', password);
      return startOnServer(manager, this.sagas, server, {
        request: enableRescueRequest,
        params: { serverId, rescueId: rescue.id },
        command: 'enable_rescue',
      });
    });
    await this.queue.poke(wakeUp);
    return { action, rootPassword: password };
  }

  /** The server's next boot is from its own disk, whether it is in a rescue system now or not. @throws ServersError */
  async disable(projectId: number, serverId: number): Promise<Action> {
    const { action, wakeUp } = await runInTransaction(this.dataSource, async (manager) => {
      const server = await admit(manager, projectId, serverId);
      return startOnServer(manager, this.sagas, server, {
        request: disableRescueRequest,
        params: { serverId },
        command: 'disable_rescue',
      });
    });
    await this.queue.poke(wakeUp);
    return action;
  }

  /** Ends those that nobody has booted in time. @returns how many */
  async expire(): Promise<number> {
    const due = await this.dataSource.query<{ serverId: number }[]>(
      `SELECT r.server_id AS "serverId" FROM rescues r
       WHERE r.expires_at < now() AND r.booted_at IS NULL AND r.ended_at IS NULL
         AND NOT EXISTS (SELECT FROM sagas g WHERE g.subject_type = 'server' AND g.subject_id = r.server_id
                         AND g.name = $1 AND g.finished_at IS NULL)`,
      [disableRescueRequest.name],
    );
    for (const { serverId } of due) {
      const subject = { type: 'server', id: serverId };
      const params = { serverId };
      const { manager } = this.dataSource;
      await this.queue.poke(await this.sagas.start(manager, disableRescueRequest, params, { subject }));
    }
    return due.length;
  }
}

/** The newest rescue system that the server's host has. @throws ServersError `rescue_unavailable`, `image_too_large` */
async function imageFor(manager: EntityManager, { hostId, serverTypeId }: Server): Promise<number> {
  const [image] = await manager.query<{ id: number; neededMib: number; memoryMib: number }[]>(
    `SELECT i.id, (i.appliance ->> 'minimumMemoryMib')::int AS "neededMib", t.memory_mib AS "memoryMib"
     FROM images i JOIN host_images h ON h.image_id = i.id AND h.host_id = $1
     JOIN server_types t ON t.id = $2
     WHERE i.type = 'rescue' ORDER BY i.deprecated_at DESC NULLS FIRST LIMIT 1`,
    [hostId, serverTypeId],
  );
  if (!image) {
    const message = 'there is no rescue system on the host of this server: ask the operator for one';
    throw new ServersError('rescue_unavailable', message);
  }
  if (image.memoryMib >= image.neededMib) return image.id;
  const message = `the rescue system needs ${image.neededMib} MiB of memory, more than the server has`;
  throw new ServersError('image_too_large', message);
}
