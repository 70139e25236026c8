import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager, IsNull, Not } from 'typeorm';
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
  readonly volumeId?: number;
  readonly cookId?: number;
}

/** Which of a project's actions: those on one server or one volume, or on any volume; all unless told. */
export interface ActionsOf {
  readonly serverId?: number;
  readonly volumeId?: number;
  readonly everyVolume?: true;
}

/** The actions that customers watch. */
@Injectable()
export class ActionsService {
  constructor(private readonly dataSource: DataSource) {}

  /** Filters: id, status, command. Sorts: id, command, status, started, finished; `progress` as Hetzner has it. */
  list(projectId: number, query: ListQuery = firstPage, of: ActionsOf = {}): Promise<Page<Action>> {
    const builder = this.dataSource
      .getRepository(Action)
      .createQueryBuilder('action')
      .where('action.projectId = :projectId', { projectId });
    const { serverId, volumeId, everyVolume } = of;
    if (serverId !== undefined) builder.andWhere('action.serverId = :serverId', { serverId });
    if (volumeId !== undefined) builder.andWhere('action.volumeId = :volumeId', { volumeId });
    if (everyVolume) builder.andWhere('action.volumeId IS NOT NULL');
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

  /** @throws ServersError `action_not_found`, also when it is another project's, another server's or another volume's */
  async get(
    projectId: number,
    id: number,
    { serverId, volumeId, everyVolume }: ActionsOf = {},
  ): Promise<Action> {
    const where = {
      ...{ id, projectId },
      ...(serverId !== undefined && { serverId }),
      ...(everyVolume && { volumeId: Not(IsNull()) }),
      ...(volumeId !== undefined && { volumeId }),
    };
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
    volumeId: null,
    cookId: null,
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
