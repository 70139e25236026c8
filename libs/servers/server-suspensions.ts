import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { runInTransaction } from '#libs/database';
import { newId } from '#libs/kernel';
import { SagaQueue } from '#libs/queue';
import { type SagaRequest, SagaStore, type SagaWakeUp } from '#libs/saga';
import { Action } from './action.entity.ts';
import { newAction } from './actions.service.ts';
import { requestDeletion } from './server-deletion.ts';
import { deletePurgedImages } from './server-images.ts';
import {
  deleteServerRequest,
  resumeServerRequest,
  retireServerRequest,
  suspendServerRequest,
} from './server-requests.ts';
import { lockServer } from './servers.service.ts';
import { type FoundStanding, misplacedServers, standingOf, type WantedStanding } from './suspension-state.ts';

/** A workflow and what its action is called. */
interface Move {
  readonly request: SagaRequest<{ serverId: number }>;
  readonly command: string;
}

const SUSPEND: Move = { request: suspendServerRequest, command: 'suspend_server' };
const RETIRE: Move = { request: retireServerRequest, command: 'retire_server' };
const RESUME: Move = { request: resumeServerRequest, command: 'resume_server' };

/** What brings a server from where it is to where it should be. */
const MOVES: Readonly<
  Record<Exclude<WantedStanding, 'purged'>, Readonly<Record<FoundStanding, readonly Move[]>>>
> = {
  free: { free: [], between: [RESUME], suspended: [RESUME], retired: [RESUME] },
  suspended: { free: [SUSPEND], between: [SUSPEND], suspended: [], retired: [RESUME] },
  retired: { free: [SUSPEND, RETIRE], between: [SUSPEND, RETIRE], suspended: [RETIRE], retired: [] },
};

const SAGAS = [suspendServerRequest, retireServerRequest, resumeServerRequest, deleteServerRequest].map(
  ({ name }) => name,
);

/**
 * Brings servers to where the suspensions of their accounts want them. It looks at what stands and not at what changed,
 * so a payment that crosses a suspension, or a workflow that an operator gave up, ends as the reasons say.
 */
@Injectable()
export class ServerSuspensions {
  constructor(
    private readonly dataSource: DataSource,
    private readonly sagas: SagaStore,
    private readonly queue: SagaQueue,
  ) {}

  /**
   * Asks for what is missing, of one account or of all. A server that a workflow is bringing elsewhere is left to the
   * next call. Images outlive their servers and go with the account. @returns how many servers it asked for
   */
  async align(accountId?: number): Promise<number> {
    await runInTransaction(this.dataSource, deletePurgedImages);
    const misplaced = await misplacedServers(this.dataSource.manager, SAGAS, accountId);
    for (const serverId of misplaced) {
      const wakeUps = await runInTransaction(this.dataSource, (manager) => this.alignOne(manager, serverId));
      for (const wakeUp of wakeUps) await this.queue.poke(wakeUp);
    }
    return misplaced.length;
  }

  /**
   * Within the lock of the server's row, which its owner's commands take as well: one that was admitted before the
   * suspension has its workflow in the queue already, and this one comes behind it.
   */
  private async alignOne(manager: EntityManager, serverId: number): Promise<SagaWakeUp[]> {
    const server = await lockServer(manager, serverId);
    const standing = await standingOf(manager, serverId);
    if (!standing || (await this.isMoving(manager, serverId))) return [];
    if (standing.wanted === 'purged') return [(await requestDeletion(manager, this.sagas, server)).wakeUp];
    const wakeUps: SagaWakeUp[] = [];
    for (const move of MOVES[standing.wanted][standing.found]) {
      wakeUps.push(await this.start(manager, server, move));
    }
    return wakeUps;
  }

  private async start(
    manager: EntityManager,
    { id: serverId, projectId }: { readonly id: number; readonly projectId: number },
    { request, command }: Move,
  ): Promise<SagaWakeUp> {
    const sagaId = newId();
    const action = newAction({ projectId, serverId, sagaId, command });
    await manager.insert(Action, action);
    const subject = { type: 'server', id: serverId };
    return this.sagas.start(manager, request, { serverId }, { sagaId, actionId: action.id, subject });
  }

  private async isMoving(manager: EntityManager, serverId: number): Promise<boolean> {
    const filter = {
      subject: { type: 'server', id: serverId },
      states: ['running', 'undoing', 'stuck'],
    } as const;
    return (await this.sagas.list(filter, manager)).some(({ name }) => SAGAS.includes(name));
  }
}
