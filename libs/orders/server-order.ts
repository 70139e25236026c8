import type { EntityManager } from 'typeorm';
import type { Statement } from '#libs/database';
import type { Currency } from '#libs/kernel';
import type { AlongDisk } from '#libs/placement';
import type { PasswordDelivery, Server, ServerNetwork } from '#libs/servers';
import type { Item } from './order-items.ts';

/** A server as it is ordered; everything it names has been resolved. */
export interface ServerOrder extends Item {
  /** Made by `newId()`; the same one whenever the order is repeated. */
  readonly serverId: number;
  readonly accountId: number;
  readonly projectId: number;
  readonly currency: Currency;
  readonly name: string;
  readonly sshPublicKeys: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly userData?: string;
  readonly startAfterCreate: boolean;
  readonly passwordDelivery: PasswordDelivery;
  /** That it has from the start. */
  readonly volumes?: OrderedVolumes;
  /** It is a clone: what it is a copy of, whose credentials it has as well. */
  readonly copy?: ServerCopy;
}

/** What a clone is a copy of, and how. */
export interface ServerCopy {
  readonly original: Server;
  /** That is still to be frozen, by `freezeSagaId`. */
  readonly frozenDiskId: number;
  readonly freezeSagaId: number;
  readonly kind: 'safe' | 'exact';
  readonly network: ServerNetwork;
  readonly holdsTimers: boolean;
}

/** Volumes that a server is ordered with, as the feature sees to them that they are of. */
export interface OrderedVolumes {
  /** They are mounted in it. */
  readonly automount: boolean;
  /** Where the server is ordered unless its owner says. @throws DomainError where there is no such volume */
  locationId(manager: EntityManager): Promise<number | undefined>;
  /**
   * Sees, in the transaction that places the order, that the server may have them, and keeps others from them until it ends.
   * @throws DomainError why it may not
   */
  claim(
    manager: EntityManager,
    server: Pick<ServerOrder, 'serverId' | 'location' | 'image'>,
  ): Promise<ClaimedVolumes>;
}

/** `statements` give them to the server, once that has its row. */
export interface ClaimedVolumes {
  readonly disks: readonly AlongDisk[];
  readonly statements: readonly Statement[];
}
