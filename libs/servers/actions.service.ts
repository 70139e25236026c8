import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { newId } from '#libs/kernel';
import { firstPage, type ListQuery, type Page, pageOf } from '#libs/listing';
import { Action } from './action.entity.ts';
import { ServersError } from './servers.errors.ts';

export interface NewAction {
  readonly projectId: number;
  /** Null: it works on no server. */
  readonly serverId: number | null;
  /** Null: it is done without one. */
  readonly sagaId: number | null;
  readonly command: string;
  readonly imageId?: number;
  readonly exportId?: number;
  readonly rehearsalId?: number;
}

/** The actions that customers watch. */
@Injectable()
export class ActionsService {
  constructor(private readonly dataSource: DataSource) {}

  /** Filters: id, status, command. Sorts: id, command, status, started, finished; `progress` as Hetzner has it. */
  list(projectId: number, query: ListQuery = firstPage, serverId?: number): Promise<Page<Action>> {
    const builder = this.dataSource
      .getRepository(Action)
      .createQueryBuilder('action')
      .where('action.projectId = :projectId', { projectId });
    if (serverId !== undefined) builder.andWhere('action.serverId = :serverId', { serverId });
    return pageOf(builder, query, {
      id: 'action.id',
      filters: { id: 'action.id', status: 'action.status', command: 'action.command' },
      sorts: {
        id: 'action.id',
        command: 'action.command',
        status: 'action.status',
        progress: 'action.progress',
        started: 'action.startedAt',
        finished: 'action.finishedAt',
      },
    });
  }

  /** @throws ServersError `action_not_found`, also when it is another project's or another server's */
  async get(projectId: number, id: number, serverId?: number): Promise<Action> {
    const where = serverId === undefined ? { id, projectId } : { id, projectId, serverId };
    const action = await this.dataSource.getRepository(Action).findOneBy(where);
    if (!action) throw new ServersError('action_not_found', `there is no action ${id}`);
    return action;
  }
}

/** A running action, to be inserted in the transaction that starts its saga. */
export function newAction(action: NewAction): Action {
  return {
    id: newId(),
    status: 'running',
    progress: 0,
    errorCode: null,
    errorMessage: null,
    imageId: null,
    exportId: null,
    rehearsalId: null,
    startedAt: new Date(),
    finishedAt: null,
    ...action,
  };
}

/** What was asked for and is done: an action without a saga, within the caller's transaction. */
export function recordDone(manager: EntityManager, action: Omit<NewAction, 'sagaId'>): Promise<Action> {
  const done = { status: 'success' as const, progress: 100, finishedAt: new Date() };
  return manager.getRepository(Action).save({ ...newAction({ ...action, sagaId: null }), ...done });
}
