import { Injectable } from '@nestjs/common';
import { SshKeysService } from '#libs/accounts';
import { CatalogService, type Location, type ServerType } from '#libs/catalog';
import { type Image, ImagesService } from '#libs/images';
import { ServersError } from '#libs/servers';
import { OrdersError } from './orders.errors.ts';

/** What may be named by id or by name, as a client wrote it. */
export interface ItemRequest {
  /** Whose images may be named beside the catalog's. */
  readonly projectId: number;
  readonly serverType: number | string;
  readonly image: number | string;
  /** A location's or datacenter's id or name; the first location when missing. */
  readonly location?: number | string;
}

export interface Item {
  readonly serverType: ServerType;
  readonly image: Image;
  readonly location: Location;
}

/** Turns what a client named into what the catalog has. */
@Injectable()
export class OrderItems {
  constructor(
    private readonly catalog: CatalogService,
    private readonly images: ImagesService,
    private readonly sshKeys: SshKeysService,
  ) {}

  /** @throws DomainError when something is not in the catalog, or not any more; OrdersError `type_too_small` */
  async resolve(request: ItemRequest): Promise<Item> {
    const [serverType, image, location] = await Promise.all([
      this.catalog.serverType(request.serverType),
      this.images.resolve(request.image, request.projectId),
      this.catalog.location(request.location),
    ]);
    assertSold(serverType);
    assertLargeEnough(serverType, image);
    return { serverType, image, location };
  }

  /** OpenSSH public keys by the ids or names of the project's keys. @throws AccountsError `ssh_keys_unknown` */
  async publicKeys(projectId: number, keys: readonly (number | string)[]): Promise<string[]> {
    const found = await this.sshKeys.resolve(projectId, keys.map(String));
    return found.map(({ publicKey }) => publicKey);
  }
}

/** By its id a withdrawn size is found as well, for the servers that have it. */
function assertSold({ name, deprecatedAt }: ServerType): void {
  if (deprecatedAt === null) return;
  throw new ServersError('invalid_server_type', `${name} is not sold any more`, 'server_type');
}

function assertLargeEnough(type: ServerType, image: Image): void {
  const { minimumMemoryMib, minimumDiskGib, title } = image.appliance;
  if (type.memoryMib >= minimumMemoryMib && type.diskGib >= minimumDiskGib) return;
  const message = `${title} needs ${minimumMemoryMib} MiB of memory and ${minimumDiskGib} GiB of disk; ${type.name} has ${type.memoryMib} MiB and ${type.diskGib} GiB`;
  throw new OrdersError('type_too_small', message, {
    fields: [{ name: 'server_type', messages: [message] }],
  });
}
