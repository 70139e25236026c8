import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { type SuspensionReason, standingSuspensions } from '#libs/accounts';
import { runInTransaction, runStatements } from '#libs/database';
import type { Image } from '#libs/images';
import { newId } from '#libs/kernel';
import { SagaQueue } from '#libs/queue';
import { type SagaRequest, SagaStore, type SagaWakeUp } from '#libs/saga';
import { Action } from './action.entity.ts';
import { newAction } from './actions.service.ts';
import { newPassword, type PasswordDelivery, SecretsStore } from './secrets.store.ts';
import { type DesiredState, diskVolumeName, type ObservedState, type Server } from './server.entity.ts';
import { requestDeletion } from './server-deletion.ts';
import {
  createImageRequest,
  powerOffServerRequest,
  powerOnServerRequest,
  rebootServerRequest,
  rebuildServerRequest,
  resetPasswordRequest,
  resetServerRequest,
  shutdownServerRequest,
} from './server-requests.ts';
import { ServersError } from './servers.errors.ts';
import { lockServer } from './servers.service.ts';
import { isRetired, suspensionOf } from './suspension-state.ts';

interface ServerParams {
  readonly serverId: number;
}

/** One command of a server: what it is called on the wire, when it is allowed, and the intent it leaves. */
interface Command<P extends ServerParams> {
  readonly request: SagaRequest<P>;
  readonly command: string;
  readonly needs?: 'running';
  readonly desired?: DesiredState;
  readonly observed?: ObservedState;
}

/** Asks for the long operations on a server. Each writes intent, action and saga in one transaction. */
@Injectable()
export class ServerCommands {
  constructor(
    private readonly dataSource: DataSource,
    private readonly sagas: SagaStore,
    private readonly queue: SagaQueue,
    private readonly secrets: SecretsStore,
  ) {}

  powerOn(projectId: number, serverId: number): Promise<Action> {
    return this.run(projectId, serverId, {
      request: powerOnServerRequest,
      command: 'start_server',
      desired: 'running',
      observed: 'starting',
    });
  }

  /** Pulls the plug. */
  powerOff(projectId: number, serverId: number): Promise<Action> {
    return this.run(projectId, serverId, {
      request: powerOffServerRequest,
      command: 'stop_server',
      desired: 'off',
      observed: 'stopping',
    });
  }

  /** Presses the power button; the guest may take its time, or not listen. */
  shutdown(projectId: number, serverId: number): Promise<Action> {
    return this.run(projectId, serverId, {
      request: shutdownServerRequest,
      command: 'shutdown_server',
      needs: 'running',
      desired: 'off',
      observed: 'stopping',
    });
  }

  reboot(projectId: number, serverId: number): Promise<Action> {
    return this.run(projectId, serverId, {
      request: rebootServerRequest,
      command: 'reboot_server',
      needs: 'running',
    });
  }

  /** Presses the reset button. */
  reset(projectId: number, serverId: number): Promise<Action> {
    return this.run(projectId, serverId, {
      request: resetServerRequest,
      command: 'reset_server',
      needs: 'running',
    });
  }

  /** The new password, and the action that sets it in the running guest. */
  async resetPassword(
    projectId: number,
    serverId: number,
    delivery: PasswordDelivery,
  ): Promise<{ action: Action; rootPassword: string | null }> {
    const password = newPassword();
    const command = {
      request: resetPasswordRequest,
      command: 'reset_password',
      needs: 'running',
    } as const;
    const action = await this.run(projectId, serverId, command, (manager) =>
      runStatements(manager, this.secrets.keepingPassword(serverId, password, delivery)),
    );
    return { action, rootPassword: delivery === 'answer' ? password : null };
  }

  /**
   * Puts a fresh disk of `image` in the place of the server's; all data on it is lost. `userData` is for the new
   * system's first boot. @throws ServersError `image_too_large`
   */
  async rebuild(
    projectId: number,
    serverId: number,
    image: Image,
    delivery: PasswordDelivery,
    userData?: string,
  ): Promise<{ action: Action; rootPassword: string | null }> {
    const password = newPassword();
    let usesPassword = false;
    const action = await this.transaction(projectId, serverId, async (manager, server) => {
      await assertRoomFor(manager, server, image);
      usesPassword = server.credentialKind === 'password';
      if (userData) await this.secrets.put(manager, serverId, 'user_data', userData);
      if (usesPassword) {
        await runStatements(manager, this.secrets.keepingPassword(serverId, password, delivery));
      }
      const generation = server.generation + 1;
      await this.mark(manager, server, { desired: 'running', observed: 'rebuilding' });
      return this.start(
        manager,
        server,
        rebuildServerRequest,
        { serverId, imageId: image.id, generation },
        'rebuild_server',
        image.id,
      );
    });
    return { action, rootPassword: usesPassword && delivery === 'answer' ? password : null };
  }

  /**
   * Makes an image of what the server's disk holds at one moment, while it runs or not.
   * @throws ServersError `server_not_ready`, `server_locked`, `server_suspended`
   */
  async createImage(
    projectId: number,
    serverId: number,
    wanted: { readonly description: string | null; readonly labels: Readonly<Record<string, string>> },
  ): Promise<{ action: Action; imageId: number }> {
    const imageId = newId();
    const action = await this.transaction(projectId, serverId, async (manager, server) => {
      if (!server.readyAt) throw new ServersError('server_not_ready', 'the server is not ready yet');
      await insertSnapshot(manager, { id: imageId, server, ...wanted });
      const params = { serverId, imageId, frozenDiskId: newId(), generation: server.generation + 1 };
      return this.start(manager, server, createImageRequest, params, 'create_image', imageId);
    });
    return { action, imageId };
  }

  /**
   * Billing ends with this call. A server that is still being made is taken back first. Who does not pay may delete, and
   * owes no more from then on; what an account is suspended for abuse with is kept until that is settled.
   */
  async delete(projectId: number, serverId: number): Promise<Action> {
    const action = await this.transaction(
      projectId,
      serverId,
      (manager, server) => requestDeletion(manager, this.sagas, server),
      { whileLocked: true },
    );
    return action;
  }

  /** @throws ServersError `credentials_not_there`, `credentials_gone` */
  async revealPassword(projectId: number, serverId: number): Promise<string> {
    return runInTransaction(this.dataSource, async (manager) => {
      const server = await this.ownServer(manager, projectId, serverId);
      if (!server.readyAt) throw new ServersError('server_not_ready', 'the server is not ready yet');
      return this.secrets.reveal(manager, serverId);
    });
  }

  private run<P extends ServerParams>(
    projectId: number,
    serverId: number,
    command: Command<P> & { request: SagaRequest<ServerParams> },
    also?: (manager: EntityManager) => Promise<unknown>,
  ): Promise<Action> {
    return this.transaction(projectId, serverId, async (manager, server) => {
      if (!server.readyAt) throw new ServersError('server_not_ready', 'the server is not ready yet');
      if (command.needs === 'running' && server.observed !== 'running') {
        throw new ServersError('server_must_run', `the server is ${server.observed}; power it on first`);
      }
      await also?.(manager);
      await this.mark(manager, server, command);
      return this.start(manager, server, command.request, { serverId }, command.command);
    });
  }

  private async transaction(
    projectId: number,
    serverId: number,
    work: (manager: EntityManager, server: Server) => Promise<Started>,
    options: { whileLocked?: boolean } = {},
  ): Promise<Action> {
    const { action, wakeUp } = await runInTransaction(this.dataSource, async (manager) => {
      const server = await this.ownServer(manager, projectId, serverId);
      if (options.whileLocked) {
        await refuseWhileInvestigated(manager, server);
      } else {
        await refuseWhileSuspended(manager, server);
        await refuseWhileLocked(manager, serverId);
      }
      if (
        server.desired === 'deleted' &&
        (!options.whileLocked || (await isBeingDeleted(manager, serverId)))
      ) {
        throw new ServersError('server_locked', 'the server is being deleted');
      }
      return work(manager, server);
    });
    await this.queue.poke(wakeUp);
    return action;
  }

  private async start<P extends ServerParams>(
    manager: EntityManager,
    server: Server,
    request: SagaRequest<P>,
    params: P,
    command: string,
    imageId?: number,
  ): Promise<Started> {
    const sagaId = newId();
    const action = newAction({
      projectId: server.projectId,
      serverId: server.id,
      sagaId,
      command,
      ...(imageId === undefined ? {} : { imageId }),
    });
    await manager.insert(Action, action);
    const wakeUp = await this.sagas.start(manager, request, params, {
      sagaId,
      actionId: action.id,
      subject: { type: 'server', id: server.id },
    });
    return { action, wakeUp };
  }

  private async ownServer(manager: EntityManager, projectId: number, serverId: number): Promise<Server> {
    const server = await lockServer(manager, serverId);
    const isHidden = server.deletedAt !== null || (await isRetired(manager, serverId));
    if (server.projectId !== projectId || isHidden) {
      throw new ServersError('server_not_found', `there is no server ${serverId}`);
    }
    return server;
  }

  private async mark(
    manager: EntityManager,
    server: Server,
    states: { readonly desired?: DesiredState; readonly observed?: ObservedState },
  ): Promise<void> {
    await manager.query(
      `UPDATE servers SET desired = coalesce($2, desired), observed = coalesce($3, observed) WHERE id = $1`,
      [server.id, states.desired ?? null, states.observed ?? null],
    );
  }
}

interface Started {
  readonly action: Action;
  readonly wakeUp: SagaWakeUp;
}

/** The row of an image that is being made: with what it inherits from the image that its server was made of. */
async function insertSnapshot(
  manager: EntityManager,
  image: {
    readonly id: number;
    readonly server: Server;
    readonly description: string | null;
    readonly labels: Readonly<Record<string, string>>;
  },
): Promise<void> {
  const { id, server } = image;
  await manager.query(
    `INSERT INTO images (id, name, type, volume_name, file_size_bytes, virtual_size_bytes, appliance, package_count,
                         project_id, server_id, server_name, status, description, labels)
     SELECT $1::bigint, 'snapshot-' || $1::bigint, 'snapshot', $2, 0, t.disk_gib * 1024::bigint * 1024 * 1024,
            jsonb_set(i.appliance, '{minimumDiskGib}', to_jsonb(t.disk_gib)), i.package_count,
            $3, $4, $5, 'creating', $6, $7
     FROM images i, server_types t WHERE i.id = $8 AND t.id = $9`,
    [
      id,
      diskVolumeName(server),
      server.projectId,
      server.id,
      server.name,
      image.description ?? server.name,
      JSON.stringify(image.labels),
      server.imageId,
      server.serverTypeId,
    ],
  );
}

/** @throws ServersError `image_too_large` */
async function assertRoomFor(manager: EntityManager, server: Server, { appliance }: Image): Promise<void> {
  const [type] = await manager.query<{ name: string; memoryMib: number; diskGib: number }[]>(
    `SELECT name, memory_mib AS "memoryMib", disk_gib AS "diskGib" FROM server_types WHERE id = $1`,
    [server.serverTypeId],
  );
  const { title, minimumMemoryMib, minimumDiskGib } = appliance;
  if (type && type.memoryMib >= minimumMemoryMib && type.diskGib >= minimumDiskGib) return;
  throw new ServersError(
    'image_too_large',
    `${title} needs ${minimumMemoryMib} MiB of memory and ${minimumDiskGib} GiB of disk, more than ${type?.name} has`,
    'image',
  );
}

/** An operator may have given up a deletion that was stuck; then it can be asked for again. */
async function isBeingDeleted(manager: EntityManager, serverId: number): Promise<boolean> {
  const running = await manager.query<unknown[]>(
    `SELECT 1 FROM actions WHERE server_id = $1 AND status = 'running' AND command = 'delete_server' LIMIT 1`,
    [serverId],
  );
  return running.length > 0;
}

const WHAT_TO_DO: Readonly<Record<SuspensionReason, string>> = {
  billing: 'pay the open invoices, and it is switched on again',
  abuse: 'answer the notice that you were sent',
  operator: 'ask the operator',
};

/** For as long as any reason stands, and until the server is back as it was. @throws ServersError `server_suspended` */
async function refuseWhileSuspended(manager: EntityManager, server: Server): Promise<void> {
  const standing = await standingSuspensions(manager, server.accountId);
  const reasons = standing.map(({ reason }) => reason);
  if (reasons.length > 0) {
    const advice = reasons.map((reason) => WHAT_TO_DO[reason]).join('; ');
    throw new ServersError('server_suspended', `the server is suspended: ${advice}`, undefined, { reasons });
  }
  if (await suspensionOf(manager, server.id)) {
    const message = 'the server is being brought back from its suspension: try again in a minute';
    throw new ServersError('server_suspended', message, undefined, { reasons });
  }
}

/** A server that is suspended for abuse may be evidence. @throws ServersError `server_suspended` */
async function refuseWhileInvestigated(manager: EntityManager, { accountId }: Server): Promise<void> {
  const standing = await standingSuspensions(manager, accountId);
  if (!standing.some(({ reason }) => reason === 'abuse')) return;
  const message = `the server is kept while its account is suspended for abuse: ${WHAT_TO_DO.abuse}`;
  throw new ServersError('server_suspended', message, undefined, { reasons: ['abuse'] });
}

/** @throws ServersError `server_locked` */
export async function refuseWhileLocked(manager: EntityManager, serverId: number): Promise<void> {
  const [running] = await manager.query<{ command: string }[]>(
    `SELECT command FROM actions WHERE server_id = $1 AND status = 'running' LIMIT 1`,
    [serverId],
  );
  if (running) {
    throw new ServersError('server_locked', `the server is locked by a running action (${running.command})`);
  }
}
