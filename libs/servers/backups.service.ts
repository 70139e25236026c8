import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { runInTransaction } from '#libs/database';
import type { Action } from './action.entity.ts';
import { recordDone } from './actions.service.ts';
import { BackupPlan } from './backup-plan.entity.ts';
import { changedPlan, claimBackup, type PlanChange } from './backup-plan.ts';
import { admit } from './server-admission.ts';
import { ServerCommands } from './server-commands.ts';
import { deleteBackups } from './server-images.ts';
import { ServersError, type ServersErrorCode } from './servers.errors.ts';

/** Why a backup that is due waits for the next look. */
const NOT_NOW: readonly ServersErrorCode[] = [
  'backup_not_due',
  'backups_not_enabled',
  'server_in_rescue',
  'server_locked',
  'server_not_found',
  'server_not_ready',
  'server_suspended',
];

/** Backups that are made of servers by a plan. */
@Injectable()
export class BackupsService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly commands: ServerCommands,
  ) {}

  /** Of a server that has a plan: changes it. @throws ServersError `server_not_found`, `server_locked`, `server_suspended` */
  enable(projectId: number, serverId: number, change: PlanChange): Promise<Action> {
    return runInTransaction(this.dataSource, async (manager) => {
      await admit(manager, projectId, serverId);
      const plans = manager.getRepository(BackupPlan);
      await plans.save(changedPlan(serverId, await plans.findOneBy({ serverId }), change, new Date()));
      return recordDone(manager, { projectId, serverId, command: 'enable_backup' });
    });
  }

  /** Its backups are deleted with the plan. @throws ServersError `server_not_found`, `server_locked`, `server_suspended` */
  disable(projectId: number, serverId: number): Promise<Action> {
    return runInTransaction(this.dataSource, async (manager) => {
      await admit(manager, projectId, serverId);
      await manager.getRepository(BackupPlan).delete({ serverId });
      await deleteBackups(manager, serverId, { keep: 0 });
      return recordDone(manager, { projectId, serverId, command: 'disable_backup' });
    });
  }

  /**
   * Asks for every backup that is due. A server that is busy or suspended is left to a later call. Several workers may
   * call at once: each backup is asked for once. @returns how many were asked for @throws AggregateError after all others
   */
  async startDue(): Promise<number> {
    const due = await this.dataSource.query<{ serverId: number; projectId: number }[]>(
      `SELECT p.server_id AS "serverId", s.project_id AS "projectId"
       FROM backup_plans p JOIN servers s ON s.id = p.server_id
       WHERE p.next_due_at <= now() AND s.desired <> 'deleted'
         AND NOT EXISTS (SELECT FROM actions a WHERE a.server_id = s.id AND a.status = 'running')
       ORDER BY p.next_due_at`,
    );
    const failures: unknown[] = [];
    let started = 0;
    for (const { serverId, projectId } of due) {
      const wanted = { type: 'backup', madeBy: 'plan', description: null, labels: {} } as const;
      try {
        await this.commands.createImage(projectId, serverId, wanted, (manager) =>
          claimBackup(manager, serverId),
        );
        started += 1;
      } catch (error) {
        if (!(error instanceof ServersError && NOT_NOW.includes(error.code))) failures.push(error);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'some backups could not be asked for');
    return started;
  }
}
