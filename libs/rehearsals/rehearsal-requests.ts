import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { runInTransaction } from '#libs/database';
import { type HealthCheck, Image } from '#libs/images';
import { type Currency, newId } from '#libs/kernel';
import { CloneRequests, OrdersService } from '#libs/orders';
import { SagaQueue } from '#libs/queue';
import { SagaStore, type SagaWakeUp } from '#libs/saga';
import {
  Action,
  admitToServer,
  newAction,
  refuseInRescue,
  requestImage,
  type Server,
  ServersError,
  startOnServer,
  systemImageId,
} from '#libs/servers';
import { Rehearsal } from './rehearsal.entity.ts';
import { RehearsalRun } from './rehearsal-run.entity.ts';
import { applyRehearsalRequest, rehearsalSubjectOf, rehearseServerRequest } from './rehearsal-sagas.ts';
import { rehearsalsError } from './rehearsals.errors.ts';
import { lockRehearsal } from './rehearsals.service.ts';
import { ScriptVault } from './script-vault.ts';

/** A rehearsal as it is asked for. */
export interface RehearsalRequest {
  /** Of the rehearsal, made by `newId()`; the same one whenever the request is repeated. */
  readonly id: number;
  readonly projectId: number;
  readonly serverId: number;
  readonly currency: Currency;
  /** At most 64 KiB; by its own interpreter, or `/bin/sh`. */
  readonly script: string;
  /** The images that it leads from and to; missing: it is its owner's. */
  readonly upgrade?: { readonly from: number; readonly to: number };
  /** Those of the server's appliance unless told. */
  readonly healthChecks: readonly HealthCheck[] | undefined;
  readonly timeoutSeconds: number;
  /** 0: the clone goes with the rehearsal. */
  readonly keepCloneHours: number;
}

export interface RequestedRehearsal {
  readonly rehearsal: Rehearsal;
  readonly action: Action;
}

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
    private readonly clones: CloneRequests,
    @Inject(OrdersService) private readonly orders: Pick<OrdersService, 'assertMayOrder' | 'assertMayKeep'>,
  ) {}

  /**
   * Asks for a clone of a running server that opens no connection, and for the script to be tried there. The clone is a
   * server of the account like any other.
   * @throws DomainError `rehearsal_under_way`; ServersError `server_not_found`, `server_must_run`, and what an order and a
   * clone may be refused for
   */
  async rehearse(request: RehearsalRequest): Promise<RequestedRehearsal> {
    const known = await this.find(request);
    if (known) return known;
    await this.orders.assertMayOrder(await ownerOf(this.dataSource.manager, request));
    const { wakeUps, ...requested } = await runInTransaction(this.dataSource, async (manager) => {
      const server = await admitToServer(manager, request.projectId, request.serverId);
      assertRuns(server);
      await refuseWhileAnother(manager, server.id);
      return this.startRehearsing(manager, request, server);
    });
    for (const wakeUp of wakeUps) await this.queue.poke(wakeUp);
    return requested;
  }

  /**
   * Does on the server itself what was rehearsed: a snapshot, the same script, the same checks. Where any of it fails the
   * server is put back to the snapshot.
   * @throws DomainError `rehearsal_not_found`, `rehearsal_failed`, `rehearsal_not_applicable`, `rehearsal_under_way`;
   * ServersError as for any other command, and `server_must_run`; of the account where a snapshot costs
   */
  async apply(projectId: number, id: number, { evenIfFailed }: ApplyOptions): Promise<Action> {
    const known = await this.dataSource.getRepository(Rehearsal).findOneBy({ id, projectId });
    if (known) await this.orders.assertMayKeep(known.accountId, 'snapshot');
    const { action, wakeUps } = await runInTransaction(this.dataSource, async (manager) => {
      const rehearsal = await lockRehearsal(manager, projectId, id);
      await this.assertApplicable(manager, rehearsal, evenIfFailed);
      const server = await admitToServer(manager, projectId, rehearsal.serverId);
      await refuseWhileAnother(manager, server.id);
      assertStillOf(rehearsal, server);
      assertRuns(server);
      await refuseInRescue(manager, server);
      return this.startApplying(manager, rehearsal, server);
    });
    for (const wakeUp of wakeUps) await this.queue.poke(wakeUp);
    return action;
  }

  private async find({ id, projectId }: RehearsalRequest): Promise<RequestedRehearsal | undefined> {
    const { manager } = this.dataSource;
    const rehearsal = await manager.getRepository(Rehearsal).findOneBy({ id, projectId });
    if (!rehearsal) return undefined;
    const where = { rehearsalId: id, command: 'rehearse_server' };
    return { rehearsal, action: await manager.getRepository(Action).findOneByOrFail(where) };
  }

  private async startRehearsing(
    manager: EntityManager,
    request: RehearsalRequest,
    server: Server,
  ): Promise<RequestedRehearsal & { readonly wakeUps: readonly SagaWakeUp[] }> {
    const { id: rehearsalId, projectId, currency, script, timeoutSeconds, keepCloneHours } = request;
    const [runId, sagaId, cloneServerId] = [newId(), newId(), newId()];
    const clone = await this.clones.start(manager, {
      ...{ serverId: cloneServerId, projectId, originalId: server.id, currency },
      name: `rehearsal-${rehearsalId}`,
      labels: {},
      ...{ kind: 'safe', network: 'isolated', holdsTimers: true, startAfterCreate: true },
    });
    const { appliance } = await manager.getRepository(Image).findOneByOrFail({ id: systemImageId(server) });
    await manager.insert(Rehearsal, {
      ...{ id: rehearsalId, accountId: server.accountId, projectId, serverId: server.id, cloneServerId },
      ...{ timeoutSeconds, keepCloneHours, scriptBytes: Buffer.byteLength(script) },
      ...{ upgradeFrom: request.upgrade?.from ?? null, upgradeTo: request.upgrade?.to ?? null },
      healthChecks: [...(request.healthChecks ?? appliance.healthChecks)],
    });
    await this.scripts.put(manager, rehearsalId, script);
    await manager.insert(RehearsalRun, {
      id: runId,
      rehearsalId,
      stage: 'rehearsal',
      serverId: cloneServerId,
    });
    const action = newAction({ projectId, serverId: null, sagaId, command: 'rehearse_server', rehearsalId });
    await manager.insert(Action, action);
    const params = { rehearsalId, runId, serverId: cloneServerId };
    const options = { sagaId, actionId: action.id, subject: rehearsalSubjectOf(rehearsalId) };
    const wakeUp = await this.sagas.start(manager, rehearseServerRequest, params, options);
    const rehearsal = await manager.getRepository(Rehearsal).findOneByOrFail({ id: rehearsalId });
    return { rehearsal, action, wakeUps: [...clone.wakeUps, wakeUp] };
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

/** An upgrade is made of what two images differ in. @throws DomainError `rehearsal_not_applicable` */
function assertStillOf({ id, upgradeFrom }: Rehearsal, server: Server): void {
  if (upgradeFrom === null || upgradeFrom === systemImageId(server)) return;
  const message = `rehearsal ${id} cannot be applied: its server was upgraded, rebuilt or rolled back since; rehearse anew`;
  throw rehearsalsError('rehearsal_not_applicable', message, { image: systemImageId(server) });
}

/** @throws ServersError `server_not_ready`, `server_must_run` */
function assertRuns(server: Server): void {
  if (!server.readyAt) throw new ServersError('server_not_ready', 'the server is not ready yet');
  if (server.observed === 'running') return;
  throw new ServersError('server_must_run', `the server is ${server.observed}; power it on first`);
}

/** @throws DomainError `rehearsal_under_way` */
async function refuseWhileAnother(manager: EntityManager, serverId: number): Promise<void> {
  const [other] = await manager.query<{ id: number }[]>(
    `SELECT id FROM rehearsals WHERE server_id = $1 AND state IN ('rehearsing', 'applying')`,
    [serverId],
  );
  if (!other) return;
  const message = `rehearsal ${other.id} of this server is under way: wait until it has ended, or give it up`;
  throw rehearsalsError('rehearsal_under_way', message, { rehearsal: other.id });
}

/** The account that a clone is billed to. @throws ServersError `server_not_found` */
async function ownerOf(manager: EntityManager, { projectId, serverId }: RehearsalRequest): Promise<number> {
  const [owner] = await manager.query<{ accountId: number }[]>(
    'SELECT account_id AS "accountId" FROM servers WHERE id = $1 AND project_id = $2',
    [serverId, projectId],
  );
  if (owner) return owner.accountId;
  throw new ServersError('server_not_found', `there is no server ${serverId}`);
}
