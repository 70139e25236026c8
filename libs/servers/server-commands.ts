import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager, IsNull } from 'typeorm';
import { runInTransaction, runStatements } from '#libs/database';
import { Image } from '#libs/images';
import { gibToBytes, newId } from '#libs/kernel';
import { takeInheritedAddress } from '#libs/networks';
import { SagaQueue } from '#libs/queue';
import { type SagaRequest, SagaStore } from '#libs/saga';
import type { Action } from './action.entity.ts';
import { assertBackedUp } from './backup-plan.ts';
import { assertInReach, holdDisk } from './frozen-disks.ts';
import { refuseInRescue, runningRescue, waitingRescue } from './rescue-state.ts';
import { newPassword, nothingToReveal, type PasswordDelivery, SecretsStore } from './secrets.store.ts';
import { credentialKindOf, type DesiredState, type ObservedState, type Server } from './server.entity.ts';
import { type Admission, admit, ownServer } from './server-admission.ts';
import { requestDeletion } from './server-deletion.ts';
import { insertImage, type NewServerImage } from './server-images.ts';
import { refuseProtected } from './server-protection.ts';
import {
  openNetworkRequest,
  powerOffServerRequest,
  powerOnServerRequest,
  rebootServerRequest,
  rebuildServerRequest,
  resetPasswordRequest,
  resetServerRequest,
  rollBackServerRequest,
  shutdownServerRequest,
  switchSystemRequest,
} from './server-requests.ts';
import { ServersError } from './servers.errors.ts';
import { requestImage, type Started, startOnServer } from './start-on-server.ts';

interface ServerParams {
  readonly serverId: number;
}

/** One command of a server: what it is called on the wire, when it is allowed, and the intent it leaves. */
interface Command {
  readonly request: SagaRequest<ServerParams>;
  readonly command: string;
  readonly needs?: 'running';
  readonly desired?: DesiredState;
  readonly observed?: ObservedState;
  /** It boots the server, which may be into its rescue system, or out of it. */
  readonly boots?: 'power_on' | 'reboot' | 'reset';
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
      boots: 'power_on',
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
      boots: 'reboot',
      request: rebootServerRequest,
      command: 'reboot_server',
      needs: 'running',
    });
  }

  /** Presses the reset button. */
  reset(projectId: number, serverId: number): Promise<Action> {
    return this.run(projectId, serverId, {
      boots: 'reset',
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
    const action = await this.run(projectId, serverId, command, async (manager) => {
      await refuseInRescue(manager, { id: serverId });
      await runStatements(manager, this.secrets.keepingPassword(serverId, password, delivery));
    });
    return { action, rootPassword: delivery === 'answer' ? password : null };
  }

  /**
   * Puts a fresh disk of `image` in the place of the server's. Once its system has been seen to work, all data on the old one
   * is lost, and its password takes the place of the former; until then a failure leaves the server as it was. `userData` is
   * for its first boot; `also` is part of asking for it.
   * @throws ServersError `image_too_large`, `image_not_found`, `image_out_of_reach`, `network_closed`, `server_protected`,
   * `server_in_rescue`, `iso_attached`
   */
  async rebuild(
    projectId: number,
    serverId: number,
    image: Image,
    delivery: PasswordDelivery,
    { userData, also }: { readonly userData?: string | undefined; readonly also?: AlsoOf } = {},
  ): Promise<{ action: Action; rootPassword: string | null }> {
    const password = newPassword();
    let usesPassword = false;
    const action = await this.transaction(projectId, serverId, async (manager, server) => {
      refuseProtected(server, 'rebuild');
      await refuseInRescue(manager, server);
      if (server.isoId !== null) {
        const message = 'the server would start from the ISO image in its CD drive: detach that first';
        throw new ServersError('iso_attached', message);
      }
      await assertRoomFor(manager, server, image);
      await holdDisk(manager, image);
      await assertInReach(manager, server, image);
      if (server.network === 'closed') {
        throw new ServersError(
          'network_closed',
          'a new system is verified over the network: open that first',
        );
      }
      await also?.(manager, server);
      usesPassword = credentialKindOf(server.sshPublicKeys, image) === 'password';
      if (userData) await this.secrets.put(manager, serverId, 'user_data', userData);
      if (usesPassword) await this.secrets.put(manager, serverId, 'pending_password', password);
      const power = server.observed === 'off' ? ('off' as const) : ('running' as const);
      const generation = server.generation + 1;
      await this.mark(manager, server, { desired: 'running', observed: 'rebuilding' });
      return startOnServer(manager, this.sagas, server, {
        request: rebuildServerRequest,
        params: { serverId, imageId: image.id, generation, power, delivery },
        command: 'rebuild_server',
        imageId: image.id,
      });
    });
    return { action, rootPassword: usesPassword && delivery === 'answer' ? password : null };
  }

  /**
   * Makes an image of what the server's disk holds at one moment, while it runs or not; `also` is part of asking for it.
   * @throws ServersError `server_not_ready`, `server_locked`, `server_suspended`, `backups_not_enabled`
   */
  async createImage(
    projectId: number,
    serverId: number,
    wanted: WantedImage,
    also?: (manager: EntityManager) => Promise<unknown>,
  ): Promise<{ action: Action; imageId: number }> {
    const imageId = newId();
    const action = await this.transaction(projectId, serverId, async (manager, server) => {
      if (!server.readyAt) throw new ServersError('server_not_ready', 'the server is not ready yet');
      await refuseInRescue(manager, server);
      if (wanted.type === 'backup') await assertBackedUp(manager, serverId);
      if (wanted.withMemory && server.observed !== 'running') {
        throw new ServersError('server_must_run', 'its memory can be kept while it runs: power it on first');
      }
      await also?.(manager);
      const image = { id: imageId, type: 'snapshot' as const, madeBy: 'owner' as const, ...wanted };
      return requestImage(manager, this.sagas, server, image);
    });
    return { action, imageId };
  }

  /**
   * Puts the server back to what `image` holds of it, in place: to its memory too, where the image has that, the server
   * runs, has the size that it had then, and `withMemory` says so. Its disk stays as large as it is now. What it leaves
   * behind is kept for a day as an image, to which it can be rolled back in turn. `also` is part of asking for it.
   * @throws ServersError `image_not_found`, `image_of_another_server`, `image_of_another_size`, `server_protected`
   */
  rollBack(
    projectId: number,
    serverId: number,
    image: Image,
    { withMemory = true, also }: { readonly withMemory?: boolean; readonly also?: AlsoOf } = {},
  ): Promise<Action> {
    return this.transaction(projectId, serverId, async (manager, server) => {
      if (!server.readyAt) throw new ServersError('server_not_ready', 'the server is not ready yet');
      refuseProtected(server, 'rebuild');
      await refuseInRescue(manager, server);
      await assertOfServer(manager, server, image);
      await also?.(manager, server);
      const keptImageId = newId();
      await insertImage(manager, server, {
        id: keptImageId,
        type: 'snapshot',
        madeBy: 'roll_back',
        description: `Before the roll back to ${image.description ?? image.id}`.slice(0, 255),
        labels: {},
      });
      const power = server.desired === 'off' ? ('off' as const) : ('running' as const);
      const generation = server.generation + 1;
      const ids = { serverId, imageId: image.id, keptImageId, frozenDiskId: newId() };
      await this.mark(manager, server, { observed: 'rebuilding' });
      const isSameDisk = image.virtualSizeBytes === gibToBytes(server.diskGib);
      const resumes = withMemory && image.memoryBytes !== null && power === 'running' && isSameDisk;
      const params = { ...ids, generation, power, resumes };
      return startOnServer(manager, this.sagas, server, {
        request: rollBackServerRequest,
        params,
        command: 'roll_back_server',
        imageId: image.id,
      });
    });
  }

  /**
   * Opens the network of a clone, and lets the timers go that are held in it. An exact clone takes over the address of its
   * original, which must be gone.
   * @throws ServersError `network_is_open`, `server_must_run` (its timers are held); NetworksError `address_in_use`
   */
  openNetwork(projectId: number, serverId: number): Promise<Action> {
    return this.transaction(projectId, serverId, async (manager, server) => {
      if (!server.readyAt) throw new ServersError('server_not_ready', 'the server is not ready yet');
      await refuseInRescue(manager, server);
      const { network: from, holdsTimers, observed } = server;
      if (from === 'open' && !holdsTimers) {
        throw new ServersError('network_is_open', "the server's network is open already");
      }
      if (holdsTimers && observed !== 'running') {
        throw new ServersError(
          'server_must_run',
          'its timers can be let go while it runs: power it on first',
        );
      }
      if (from === 'closed') {
        const { ip } = await takeInheritedAddress(manager, serverId);
        await manager.query('UPDATE servers SET ipv4 = $2 WHERE id = $1', [serverId, ip]);
      }
      return startOnServer(manager, this.sagas, server, {
        request: openNetworkRequest,
        params: { serverId, from },
        command: 'open_network',
      });
    });
  }

  /**
   * Billing ends with this call. A server that is still being made is taken back first. Who does not pay may delete, and
   * owes no more from then on; what an account is suspended for abuse with is kept until that is settled.
   * @throws ServersError `server_protected`
   */
  async delete(projectId: number, serverId: number): Promise<Action> {
    const action = await this.transaction(
      projectId,
      serverId,
      (manager, server) => {
        refuseProtected(server, 'delete');
        return requestDeletion(manager, this.sagas, server);
      },
      { whileLocked: true },
    );
    return action;
  }

  /** @throws ServersError `credentials_not_there`, `credentials_gone` */
  async revealPassword(projectId: number, serverId: number): Promise<string> {
    return runInTransaction(this.dataSource, async (manager) => {
      const server = await ownServer(manager, projectId, serverId);
      if (!server.readyAt) throw new ServersError('server_not_ready', 'the server is not ready yet');
      return this.secrets.reveal(manager, serverId, 'root_password');
    });
  }

  /**
   * The secrets of its application, by name. `names`: those that it has by now; where that is none, nothing is handed over.
   * @throws ServersError `credentials_not_there`, `credentials_gone`
   */
  async revealApplicationSecrets(
    projectId: number,
    serverId: number,
    names: readonly string[],
  ): Promise<Readonly<Record<string, string>>> {
    return runInTransaction(this.dataSource, async (manager) => {
      await ownServer(manager, projectId, serverId);
      if (names.length === 0) throw nothingToReveal('application');
      return JSON.parse(await this.secrets.reveal(manager, serverId, 'application'));
    });
  }

  private run(
    projectId: number,
    serverId: number,
    command: Command,
    also?: (manager: EntityManager) => Promise<unknown>,
  ): Promise<Action> {
    return this.transaction(projectId, serverId, async (manager, server) => {
      if (!server.readyAt) throw new ServersError('server_not_ready', 'the server is not ready yet');
      if (command.needs === 'running' && server.observed !== 'running') {
        throw new ServersError('server_must_run', `the server is ${server.observed}; power it on first`);
      }
      await also?.(manager);
      const switching = await switchOf(manager, server, command);
      await this.mark(manager, server, command);
      if (switching)
        return startOnServer(manager, this.sagas, server, { ...switching, command: command.command });
      return startOnServer(manager, this.sagas, server, {
        request: command.request,
        params: { serverId },
        command: command.command,
      });
    });
  }

  private async transaction(
    projectId: number,
    serverId: number,
    work: (manager: EntityManager, server: Server) => Promise<Started>,
    options: Admission = {},
  ): Promise<Action> {
    const { action, wakeUp } = await runInTransaction(this.dataSource, async (manager) => {
      const server = await admit(manager, projectId, serverId, options);
      return work(manager, server);
    });
    await this.queue.poke(wakeUp);
    return action;
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

/** How a boot goes that is from another system than the one before; undefined where it is from the same. */
async function switchOf(manager: EntityManager, { id: serverId, observed }: Server, { boots: by }: Command) {
  if (by === undefined || (by === 'power_on' && observed !== 'off')) return undefined;
  const [from, into] = [await runningRescue(manager, serverId), await waitingRescue(manager, serverId)];
  if (!from && !into) return undefined;
  const params = { serverId, from: from?.id ?? null, into: into?.id ?? null, by };
  return { request: switchSystemRequest, params };
}

/** What else has to be so, or happens, in the transaction that asks for something of a server. */
type AlsoOf = (manager: EntityManager, server: Server) => Promise<unknown>;

/** An image to be made: an owner's snapshot unless told. */
type WantedImage = Pick<NewServerImage, 'description' | 'labels'> &
  Partial<Pick<NewServerImage, 'type' | 'madeBy' | 'withMemory'>>;

/** @throws ServersError `image_too_large` */
async function assertRoomFor(manager: EntityManager, server: Server, { appliance }: Image): Promise<void> {
  const [type] = await manager.query<{ memoryMib: number }[]>(
    'SELECT memory_mib AS "memoryMib" FROM server_types WHERE id = $1',
    [server.serverTypeId],
  );
  const { title, minimumMemoryMib, minimumDiskGib } = appliance;
  if (type && type.memoryMib >= minimumMemoryMib && server.diskGib >= minimumDiskGib) return;
  throw new ServersError(
    'image_too_large',
    `${title} needs ${minimumMemoryMib} MiB of memory and ${minimumDiskGib} GiB of disk, more than the server has`,
    'image',
  );
}

/** @throws ServersError `image_not_found` (deleted by now), `image_of_another_server`, `image_of_another_size` */
async function assertOfServer(manager: EntityManager, server: Server, image: Image): Promise<void> {
  const there = { where: { id: image.id, deletedAt: IsNull() }, lock: { mode: 'pessimistic_read' } } as const;
  if (!(await manager.getRepository(Image).findOne(there))) {
    throw new ServersError('image_not_found', `there is no image ${image.id}`);
  }
  if (image.serverId !== server.id || image.frozenDiskId === null) {
    const message = `image ${image.id} was not made of this server: rebuild it from that image, or order another`;
    throw new ServersError('image_of_another_server', message, 'image');
  }
  if (image.virtualSizeBytes <= gibToBytes(server.diskGib)) return;
  const message = `the server's disk is smaller than it was when image ${image.id} was made`;
  throw new ServersError('image_of_another_size', message, 'image');
}
