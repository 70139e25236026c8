import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { ServerType } from '#libs/catalog';
import { runInTransaction } from '#libs/database';
import { Image } from '#libs/images';
import { DomainError } from '#libs/kernel';
import { changeReservation, FindingsService, outOfCapacity } from '#libs/placement';
import { SagaQueue } from '#libs/queue';
import { SagaStore } from '#libs/saga';
import {
  type Action,
  admitToServer,
  changeTypeRequest,
  refuseInRescue,
  type Server,
  ServersError,
  ServersService,
  startOnServer,
  systemImageId,
} from '#libs/servers';
import { admitGrowth, type Growth } from './limits.ts';
import { OrdersService } from './orders.service.ts';

/** Another size for a server. */
export interface TypeChange {
  /** That it is to have; a row, so that whoever asks has resolved its name. */
  readonly type: ServerType;
  /** Its disk grows to what the type has; else it stays, and the server can be made smaller again. */
  readonly upgradesDisk: boolean;
  /** A server that runs is shut down for it; else it is refused. */
  readonly restarts: boolean;
}

/** Asks for servers to become larger or smaller. Room, limits and the workflow are one transaction. */
@Injectable()
export class TypeChanges {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(OrdersService) private readonly orders: Pick<OrdersService, 'assertMayOrder'>,
    private readonly servers: ServersService,
    private readonly sagas: SagaStore,
    private readonly queue: SagaQueue,
    private readonly findings: FindingsService,
  ) {}

  /**
   * Starts the change; the server runs afterwards. The room that is added is taken with this call, on the host that the
   * server is on.
   * @throws ServersError `invalid_server_type`, `image_too_large`, `server_must_be_off`, `server_not_ready`, `server_locked`,
   * `server_suspended`; OrdersError `resource_limit_exceeded`; DomainError `resource_unavailable`, which the operator is told
   * of as well, and of the account's standing
   */
  async change(projectId: number, serverId: number, change: TypeChange): Promise<Action> {
    const known = await this.servers.get(projectId, serverId);
    const from = await this.dataSource.getRepository(ServerType).findOneByOrFail({ id: known.serverTypeId });
    if (isDearer(change.type, from)) await this.orders.assertMayOrder(known.accountId);
    try {
      const { action, wakeUp } = await runInTransaction(this.dataSource, async (manager) => {
        const server = await admitToServer(manager, projectId, serverId);
        return this.start(manager, server, change);
      });
      await this.queue.poke(wakeUp);
      return action;
    } catch (error) {
      await this.tellOperator(serverId, error);
      throw error;
    }
  }

  private async start(manager: EntityManager, server: Server, change: TypeChange) {
    if (!server.readyAt) throw new ServersError('server_not_ready', 'the server is not ready yet');
    await refuseInRescue(manager, server);
    const former = await manager.getRepository(ServerType).findOneByOrFail({ id: server.serverTypeId });
    await assertChangeable(manager, server, change.type);
    const power = server.observed === 'off' ? ('off' as const) : ('running' as const);
    if (power === 'running' && !change.restarts) {
      const message = 'the server runs: power it off first, or have it restarted by "restart": true';
      throw new ServersError('server_must_be_off', message);
    }
    const diskGib = change.upgradesDisk ? change.type.diskGib : server.diskGib;
    await admitGrowth(manager, server.accountId, growthOf(former, change.type));
    await changeReservation(manager, server.id, { ...largerOf(former, change.type), diskGib });
    await this.findings.resolve(manager, 'out_of_capacity', [outOfCapacity.server(server.id)]);
    await manager.query(`UPDATE servers SET desired = 'running', observed = $2 WHERE id = $1`, [
      server.id,
      power === 'running' ? 'stopping' : 'starting',
    ]);
    return startOnServer(manager, this.sagas, server, {
      request: changeTypeRequest,
      params: {
        ...{ serverId: server.id, serverTypeId: change.type.id, diskGib, power },
        ...{ formerTypeId: former.id, formerDiskGib: server.diskGib },
      },
      command: 'change_server_type',
    });
  }

  private async tellOperator(serverId: number, error: unknown): Promise<void> {
    if (!(error instanceof DomainError) || error.code !== 'resource_unavailable') return;
    await this.findings.report({
      kind: 'out_of_capacity',
      hostId: null,
      subject: outOfCapacity.server(serverId),
      details: { code: error.code, message: error.message, ...error.details },
    });
  }
}

/** @throws ServersError `invalid_server_type`, `image_too_large` */
async function assertChangeable(manager: EntityManager, server: Server, type: ServerType): Promise<void> {
  const refuse = (message: string) => {
    throw new ServersError('invalid_server_type', message, 'server_type');
  };
  if (type.id === server.serverTypeId) refuse(`the server is of type ${type.name} already`);
  if (type.deprecatedAt !== null) refuse(`${type.name} is not sold any more`);
  if (type.diskGib < server.diskGib) {
    refuse(
      `the server's disk has ${server.diskGib} GiB and ${type.name} has ${type.diskGib}: a disk cannot shrink`,
    );
  }
  const { appliance } = await manager.getRepository(Image).findOneByOrFail({ id: systemImageId(server) });
  if (type.memoryMib >= appliance.minimumMemoryMib) return;
  const message = `${appliance.title} needs ${appliance.minimumMemoryMib} MiB of memory, more than ${type.name} has`;
  throw new ServersError('image_too_large', message, 'server_type');
}

/** What becomes free is kept until there is no way back. */
function largerOf(from: ServerType, to: ServerType): { vcpus: number; memoryMib: number } {
  return {
    vcpus: Math.max(to.vcpus, from.vcpus),
    memoryMib: Math.max(to.memoryMib, from.memoryMib),
  };
}

function growthOf(from: ServerType, to: ServerType): Growth {
  return {
    vcpus: Math.max(0, to.vcpus - from.vcpus),
    memoryMib: Math.max(0, to.memoryMib - from.memoryMib),
    isDearer: isDearer(to, from),
  };
}

function isDearer(to: ServerType, from: ServerType): boolean {
  return to.priceHourlyMicro > from.priceHourlyMicro;
}
