import type { EntityManager } from 'typeorm';
import type { Statement } from '#libs/database';
import type { AlongDisk } from '#libs/placement';
import type { ServerOrder } from './order-placer.ts';

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
