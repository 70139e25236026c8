import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { isDearerImage } from '#libs/billing';
import { billedNameOf, type Image } from '#libs/images';
import {
  type Action,
  type PasswordDelivery,
  type Server,
  ServerCommands,
  ServersService,
} from '#libs/servers';
import { admitGrowth } from './limits.ts';
import { OrdersService } from './orders.service.ts';

/** It stays as large as it is. */
const DEARER = { vcpus: 0, memoryMib: 0, isDearer: true };

/** Asks for servers to be of another image. One that costs more than the server's own is ordered like anything new. */
@Injectable()
export class ImageChanges {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(OrdersService) private readonly orders: Pick<OrdersService, 'assertMayOrder'>,
    private readonly servers: ServersService,
    private readonly commands: ServerCommands,
  ) {}

  /**
   * `ServerCommands.rebuild` for an owner who pays for it.
   * @throws as that; DomainError of the account's standing, its own limit, the payment method or credit
   */
  async rebuild(
    projectId: number,
    serverId: number,
    image: Image,
    delivery: PasswordDelivery,
    userData?: string,
  ): Promise<{ action: Action; rootPassword: string | null }> {
    const also = await this.admitting(projectId, serverId, image);
    return this.commands.rebuild(projectId, serverId, image, delivery, { userData, also });
  }

  /** `ServerCommands.rollBack` for an owner who pays for it. @throws as that, and as `rebuild` */
  async rollBack(projectId: number, serverId: number, image: Image, withMemory?: boolean): Promise<Action> {
    const also = await this.admitting(projectId, serverId, image);
    return this.commands.rollBack(projectId, serverId, image, {
      ...(withMemory !== undefined && { withMemory }),
      also,
    });
  }

  /** Asks before the transaction what would hold it up, and leaves to it what has to be true when it ends. */
  private async admitting(projectId: number, serverId: number, image: Image) {
    const name = billedNameOf(image);
    const { accountId } = await this.servers.get(projectId, serverId);
    if (await isDearerImage(this.dataSource.manager, serverId, name)) {
      await this.orders.assertMayOrder(accountId);
    }
    return async (manager: EntityManager, { id }: Server): Promise<void> => {
      if (await isDearerImage(manager, id, name)) await admitGrowth(manager, accountId, DEARER);
    };
  }
}
