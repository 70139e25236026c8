import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { runInTransaction } from '#libs/database';
import type { Action } from './action.entity.ts';
import { recordDone } from './actions.service.ts';
import { Server } from './server.entity.ts';
import { ownServer } from './server-admission.ts';
import { ServersError } from './servers.errors.ts';

/** What a server is guarded against from now on; what is missing stays as it is. */
export interface ProtectionChange {
  readonly delete?: boolean | undefined;
  readonly rebuild?: boolean | undefined;
}

const WORDS = { delete: 'deletion', rebuild: 'rebuilds and roll backs' } as const;

/** What its owner guards a server against is refused until they take that away. @throws ServersError `server_protected` */
export function refuseProtected(server: Server, against: 'delete' | 'rebuild'): void {
  if (!(against === 'delete' ? server.isDeleteProtected : server.isRebuildProtected)) return;
  const message = `the server is protected against ${WORDS[against]}: take its protection away first`;
  throw new ServersError('server_protected', message, undefined, { protection: against });
}

/** What owners guard their servers against, from themselves and their tools. It does not keep what is not paid for. */
@Injectable()
export class ServerProtection {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * Also while the server is suspended, and while something else is done to it.
   * @throws ServersError `server_not_found`, `server_locked` (it is being deleted)
   */
  change(projectId: number, id: number, against: ProtectionChange): Promise<Action> {
    return runInTransaction(this.dataSource, async (manager) => {
      const server = await ownServer(manager, projectId, id);
      if (server.desired === 'deleted')
        throw new ServersError('server_locked', 'the server is being deleted');
      await manager.getRepository(Server).update(
        { id },
        {
          isDeleteProtected: against.delete ?? server.isDeleteProtected,
          isRebuildProtected: against.rebuild ?? server.isRebuildProtected,
        },
      );
      return recordDone(manager, { projectId, serverId: id, command: 'change_protection' });
    });
  }
}
