import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { runInTransaction } from '#libs/database';
import { newId } from '#libs/kernel';
import { SagaQueue } from '#libs/queue';
import { SagaStore, type SagaWakeUp } from '#libs/saga';
import { type Action, admit, requestImage, type Server, ServersError, startOnServer } from '#libs/servers';
import type { Rehearsal } from './rehearsal.entity.ts';
import { RehearsalRun } from './rehearsal-run.entity.ts';
import { applyRehearsalRequest } from './rehearsal-sagas.ts';
import { rehearsalsError } from './rehearsals.errors.ts';
import { lockRehearsal } from './rehearsals.service.ts';
import { ScriptVault } from './script-vault.ts';

export interface ApplyOptions {
  /** Also where the rehearsal has failed. */
  readonly evenIfFailed: boolean;
}

/** Asks for rehearsals, and for what was rehearsed to be done. */
@Injectable()
export class RehearsalRequests {
  constructor(
    private readonly dataSource: DataSource,
    private readonly sagas: SagaStore,
    private readonly queue: SagaQueue,
    private readonly scripts: ScriptVault,
  ) {}

  /**
   * Does on the server itself what was rehearsed: a snapshot, the same script, the same checks. Where any of it fails the
   * server is put back to the snapshot.
   * @throws DomainError `rehearsal_not_found`, `rehearsal_failed`, `rehearsal_not_applicable`; ServersError as for any
   * other command, and `server_must_run`
   */
  async apply(projectId: number, id: number, { evenIfFailed }: ApplyOptions): Promise<Action> {
    const { action, wakeUps } = await runInTransaction(this.dataSource, async (manager) => {
      const rehearsal = await lockRehearsal(manager, projectId, id);
      await this.assertApplicable(manager, rehearsal, evenIfFailed);
      const server = await admit(manager, projectId, rehearsal.serverId);
      assertRuns(server);
      return this.startApplying(manager, rehearsal, server);
    });
    for (const wakeUp of wakeUps) await this.queue.poke(wakeUp);
    return action;
  }

  private async assertApplicable(
    manager: EntityManager,
    { id, state }: Rehearsal,
    evenIfFailed: boolean,
  ): Promise<void> {
    if (state === 'failed' && !evenIfFailed) {
      const message = `rehearsal ${id} has failed: the script would do on the server what it did on the clone`;
      throw rehearsalsError('rehearsal_failed', message);
    }
    const isOver = state === 'passed' || state === 'failed';
    if (isOver && (await this.scripts.read(manager, id)) !== undefined) return;
    const message = isOver ? 'is too old: rehearse it again' : `cannot be applied: it is ${state}`;
    throw rehearsalsError('rehearsal_not_applicable', `rehearsal ${id} ${message}`, { state });
  }

  private async startApplying(
    manager: EntityManager,
    { id: rehearsalId }: Rehearsal,
    server: Server,
  ): Promise<{ readonly action: Action; readonly wakeUps: readonly SagaWakeUp[] }> {
    const [runId, imageId] = [newId(), newId()];
    await manager.insert(RehearsalRun, { id: runId, rehearsalId, stage: 'production', serverId: server.id });
    const snapshot = await requestImage(manager, this.sagas, server, {
      id: imageId,
      type: 'snapshot',
      madeBy: 'owner',
      description: `Before rehearsal ${rehearsalId} was applied`,
      labels: {},
    });
    const { action, wakeUp } = await startOnServer(manager, this.sagas, server, {
      request: applyRehearsalRequest,
      params: {
        ...{ rehearsalId, runId, serverId: server.id, imageId },
        ...{ keptImageId: newId(), frozenDiskId: newId(), generation: server.generation + 2 },
        power: 'running',
      },
      command: 'apply_rehearsal',
      rehearsalId,
    });
    await manager.query(`UPDATE rehearsals SET state = 'applying' WHERE id = $1`, [rehearsalId]);
    return { action, wakeUps: [snapshot.wakeUp, wakeUp] };
  }
}

/** @throws ServersError `server_not_ready`, `server_must_run` */
function assertRuns(server: Server): void {
  if (!server.readyAt) throw new ServersError('server_not_ready', 'the server is not ready yet');
  if (server.observed === 'running') return;
  throw new ServersError('server_must_run', `the server is ${server.observed}; power it on first`);
}
