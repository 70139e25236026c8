import type { DataSource } from 'typeorm';
import { runInTransaction } from '#libs/database';
import { SagaStore } from '#libs/saga';
import { admit } from './server-admission.ts';
import { POWER_ON } from './server-power.ts';
import { ServersError } from './servers.errors.ts';
import { lockServer } from './servers.service.ts';
import { startCommand } from './start-command.ts';

/**
 * Switches a server on again that went down with its host, for its owner wants it to run. @returns false where that is not
 * so any more, or may not be: it is suspended, being deleted, or has an action under way
 */
export async function startAgain(dataSource: DataSource, serverId: number): Promise<boolean> {
  return runInTransaction(dataSource, async (manager) => {
    const { projectId, readyAt, ...server } = await lockServer(manager, serverId);
    if (!readyAt || server.desired !== 'running' || server.observed !== 'running') return false;
    try {
      const admitted = await admit(manager, projectId, serverId);
      await startCommand(manager, new SagaStore(dataSource), { ...admitted, observed: 'off' }, POWER_ON);
      return true;
    } catch (error) {
      if (error instanceof ServersError) return false;
      throw error;
    }
  });
}
