import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { runInTransaction } from '#libs/database';
import type { Image } from '#libs/images';
import { newId } from '#libs/kernel';
import { SagaQueue } from '#libs/queue';
import { SagaStore } from '#libs/saga';
import type { Action } from './action.entity.ts';
import { assertBackedUp } from './backup-plan.ts';
import { requestNetworkOpening } from './network-opening.ts';
import { refuseInRescue } from './rescue-state.ts';
import { newPassword, nothingToReveal, type PasswordDelivery, SecretsStore } from './secrets.store.ts';
import type { Server } from './server.entity.ts';
import { type Admission, admit, ownServer } from './server-admission.ts';
import { requestDeletion } from './server-deletion.ts';
import type { NewServerImage } from './server-images.ts';
import { type Command, POWER_OFF, POWER_ON, REBOOT, RESET, SHUTDOWN } from './server-power.ts';
import { refuseProtected } from './server-protection.ts';
import { requestRebuild } from './server-rebuild.ts';
import { resetPasswordRequest } from './server-requests.ts';
import { requestRollBack } from './server-roll-back.ts';
import { ServersError } from './servers.errors.ts';
import { startCommand } from './start-command.ts';
import { type AlsoOf, requestImage, type Started, startOnServer } from './start-on-server.ts';

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
    return this.run(projectId, serverId, POWER_ON);
  }

  /** Pulls the plug. */
  powerOff(projectId: number, serverId: number): Promise<Action> {
    return this.run(projectId, serverId, POWER_OFF);
  }

  /** Presses the power button; the guest may take its time, or not listen. */
  shutdown(projectId: number, serverId: number): Promise<Action> {
    return this.run(projectId, serverId, SHUTDOWN);
  }

  reboot(projectId: number, serverId: number): Promise<Action> {
    return this.run(projectId, serverId, REBOOT);
  }

  /** Presses the reset button. */
  reset(projectId: number, serverId: number): Promise<Action> {
    return this.run(projectId, serverId, RESET);
  }

  /** The new password, and the action that sets it in the running guest; until then what waits for its owner is the former. */
  async resetPassword(
    projectId: number,
    serverId: number,
    delivery: PasswordDelivery,
  ): Promise<{ action: Action; rootPassword: string | null }> {
    const password = newPassword();
    const { action } = await this.transaction(projectId, serverId, async (manager, server) => {
      assertReady(server, 'running');
      await refuseInRescue(manager, server);
      await this.secrets.put(manager, serverId, 'pending_password', password);
      return startOnServer(manager, this.sagas, server, {
        request: resetPasswordRequest,
        params: { serverId, delivery },
        command: 'reset_password',
      });
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
    const { action, rootPassword } = await this.transaction(projectId, serverId, (manager, server) =>
      requestRebuild(manager, this.sagas, this.secrets, server, { image, delivery, userData, also }),
    );
    return { action, rootPassword };
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
    const { action } = await this.transaction(projectId, serverId, async (manager, server) => {
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
  async rollBack(
    projectId: number,
    serverId: number,
    image: Image,
    { withMemory = true, also }: { readonly withMemory?: boolean; readonly also?: AlsoOf } = {},
  ): Promise<Action> {
    const { action } = await this.transaction(projectId, serverId, (manager, server) =>
      requestRollBack(manager, this.sagas, server, { image, withMemory, also }),
    );
    return action;
  }

  /**
   * Opens the network of a clone, and lets the timers go that are held in it. An exact clone takes over the address of its
   * original, which must be gone.
   * @throws ServersError `network_is_open`, `server_must_run` (its timers are held); NetworksError `address_in_use`
   */
  async openNetwork(projectId: number, serverId: number): Promise<Action> {
    const { action } = await this.transaction(projectId, serverId, (manager, server) =>
      requestNetworkOpening(manager, this.sagas, server),
    );
    return action;
  }

  /**
   * Billing ends with this call. A server that is still being made is taken back first. Who does not pay may delete, and
   * owes no more from then on; what an account is suspended for abuse with is kept until that is settled.
   * @throws ServersError `server_protected`
   */
  async delete(projectId: number, serverId: number): Promise<Action> {
    const { action } = await this.transaction(
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

  private async run(projectId: number, serverId: number, command: Command): Promise<Action> {
    const { action } = await this.transaction(projectId, serverId, async (manager, server) => {
      assertReady(server, command.needs);
      return startCommand(manager, this.sagas, server, command);
    });
    return action;
  }

  private async transaction<T extends Started>(
    projectId: number,
    serverId: number,
    work: (manager: EntityManager, server: Server) => Promise<T>,
    options: Admission = {},
  ): Promise<T> {
    const started = await runInTransaction(this.dataSource, async (manager) => {
      const server = await admit(manager, projectId, serverId, options);
      return work(manager, server);
    });
    await this.queue.poke(started.wakeUp);
    return started;
  }
}

/** @throws ServersError `server_not_ready`, `server_must_run` */
function assertReady({ readyAt, observed }: Server, needs: Command['needs']): void {
  if (!readyAt) throw new ServersError('server_not_ready', 'the server is not ready yet');
  if (needs === 'running' && observed !== 'running') {
    throw new ServersError('server_must_run', `the server is ${observed}; power it on first`);
  }
}

/** An image to be made: an owner's snapshot unless told. */
type WantedImage = Pick<NewServerImage, 'description' | 'labels'> &
  Partial<Pick<NewServerImage, 'type' | 'madeBy' | 'withMemory'>>;
