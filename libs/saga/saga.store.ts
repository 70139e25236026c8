import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { runStatement, type Statement } from '#libs/database';
import { newId } from '#libs/kernel';
import type { SagaRequest } from './define.ts';
import { assertJson } from './json.ts';
import { redact, SagaError, type SagaErrorRecord } from './saga.errors.ts';
import { type SagaLogEntry, type SagaRecord, type SagaRow, type SagaState, toRecord } from './saga.record.ts';
import type { SagaSubject } from './step.ts';

export interface StartOptions {
  /** Made by `newId()` when the caller needs it before; otherwise made here. */
  readonly sagaId?: number;
  /** The action of the API that shows this saga's progress. */
  readonly actionId?: number;
  /** Sagas of one subject run one at a time, in the order in which they were started. */
  readonly subject?: SagaSubject;
  /** When the subject has an unfinished saga: line up behind it (unless told otherwise), or refuse as `locked`. */
  readonly whenBusy?: 'queue' | 'refuse';
}

/** What to wake a worker with once the transaction has committed: `await queue.poke(wakeUp)`. */
export interface SagaWakeUp {
  readonly sagaId: number;
  readonly version: number;
}

export interface SagaFilter {
  readonly states?: readonly SagaState[];
  readonly subject?: SagaSubject;
  /** 50 unless told. */
  readonly limit?: number;
}

/** `too_late`: it has passed its point of no return. `finished`: there is nothing left to turn. */
export type UndoRequestResult = 'requested' | 'too_late' | 'finished';

/** A saga that exists once `insert` has run and its transaction has committed. */
export interface NewSaga {
  readonly insert: Statement;
  readonly wakeUp: SagaWakeUp;
}

/** Holding the subject's lock until the commit makes `seq` grow in the order of the commits. */
const INSERT = `
  WITH subject_lock AS MATERIALIZED (
    SELECT CASE WHEN $5::text IS NULL THEN NULL
                ELSE pg_advisory_xact_lock(hashtextextended('saga:' || $5 || ':' || $6::text, 0)) END)
  INSERT INTO sagas (id, name, params, action_id, subject_type, subject_id)
  SELECT $1::bigint, $2, $3::jsonb, $4::bigint, $5, $6::bigint FROM subject_lock`;

/** Starts sagas, reads them and their logs, and takes the operator's orders. Runs nothing. */
@Injectable()
export class SagaStore {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * Asks for a saga within the caller's transaction, so that it exists exactly when that commits.
   * @throws SagaError `saga_params_invalid`, or `saga_subject_busy` when told to refuse.
   */
  async start<P>(
    manager: EntityManager,
    request: SagaRequest<P>,
    params: NoInfer<P>,
    options: StartOptions = {},
  ): Promise<SagaWakeUp> {
    const { subject } = options;
    if (subject && options.whenBusy === 'refuse') await refuseWhenBusy(manager, subject);
    const { insert, wakeUp } = this.newSaga(request, params, options);
    await runStatement(manager, insert);
    return wakeUp;
  }

  /**
   * A saga that lines up behind those of its subject, to be inserted in the caller's transaction among other rows.
   * @throws SagaError `saga_params_invalid`
   */
  newSaga<P>(
    request: SagaRequest<P>,
    params: NoInfer<P>,
    { sagaId = newId(), actionId, subject }: Omit<StartOptions, 'whenBusy'> = {},
  ): NewSaga {
    const json = JSON.stringify(checkedParams(request, params));
    const values = [sagaId, request.name, json, actionId ?? null, subject?.type ?? null, subject?.id ?? null];
    return { insert: { text: INSERT, values }, wakeUp: { sagaId, version: 0 } };
  }

  async find(sagaId: number, manager = this.dataSource.manager): Promise<SagaRecord | undefined> {
    const rows: SagaRow[] = await manager.query('SELECT * FROM sagas WHERE id = $1', [sagaId]);
    return rows.map(toRecord)[0];
  }

  /** @throws SagaError `saga_not_found`. */
  async get(sagaId: number, manager = this.dataSource.manager): Promise<SagaRecord> {
    const found = await this.find(sagaId, manager);
    if (!found) throw notFound(sagaId);
    return found;
  }

  /** The newest sagas first. Within a transaction give its manager: a second connection may be one too many. */
  async list(
    filter: SagaFilter = {},
    manager: EntityManager = this.dataSource.manager,
  ): Promise<SagaRecord[]> {
    const rows: SagaRow[] = await manager.query(
      `SELECT * FROM sagas
       WHERE ($1::text[] IS NULL OR state = ANY($1))
         AND ($2::text IS NULL OR (subject_type = $2 AND subject_id = $3::bigint))
       ORDER BY seq DESC LIMIT $4`,
      [filter.states ?? null, filter.subject?.type ?? null, filter.subject?.id ?? null, filter.limit ?? 50],
    );
    return rows.map(toRecord);
  }

  /** Every try of every step, oldest first. */
  async log(sagaId: number): Promise<SagaLogEntry[]> {
    return await this.dataSource.query(
      `SELECT step, direction, try, outcome, error, duration_milliseconds AS "durationMilliseconds", worker, at
       FROM saga_steps WHERE saga_id = $1 ORDER BY id`,
      [sagaId],
    );
  }

  /**
   * Asks a saga to turn back at its next step boundary; it does so for certain when the answer is `requested`.
   * @throws SagaError `saga_not_found`.
   */
  async requestUndo(manager: EntityManager, sagaId: number, why: string): Promise<UndoRequestResult> {
    const reason: SagaErrorRecord = { code: 'undo_requested', message: redact(why) };
    const asked = await wakeWhere(manager, sagaId, "direction = 'do' AND reversible", [
      ['undo_requested', JSON.stringify(reason)],
    ]);
    if (asked) return 'requested';
    const rows: SagaRow[] = await manager.query('SELECT * FROM sagas WHERE id = $1', [sagaId]);
    const row = rows[0];
    if (!row) throw notFound(sagaId);
    if (row.finished_at !== null) return 'finished';
    return row.direction === 'undo' ? 'requested' : 'too_late';
  }

  /** Lets a waiting saga look at once, because what it waits for has happened. Nothing when it has ended. */
  async wake(manager: EntityManager, sagaId: number): Promise<SagaWakeUp | undefined> {
    return await wakeWhere(manager, sagaId, 'true', []);
  }

  /**
   * Lets a stuck saga try again at once, with all its tries.
   * @throws SagaError `saga_not_found`, `saga_not_stuck`.
   */
  async resume(sagaId: number, manager: EntityManager = this.dataSource.manager): Promise<SagaWakeUp> {
    const resumed = await wakeWhere(manager, sagaId, "state = 'stuck'", [['tries', 0]]);
    if (resumed) return resumed;
    const { state } = await this.get(sagaId, manager);
    throw notStuck(sagaId, state, 'resumed');
  }

  /**
   * Ends a stuck saga as `undone` with error `given_up`: it turns back, or leaves the undo that is stuck and goes on
   * with those before it. An undo that fails from now on is left as well, once it has had its tries.
   * @throws SagaError `saga_not_found`, `saga_not_stuck`.
   */
  async giveUp(manager: EntityManager, sagaId: number): Promise<SagaWakeUp> {
    const reason: SagaErrorRecord = { code: 'given_up', message: 'given up by the operator' };
    const givenUp = await wakeWhere(manager, sagaId, "state = 'stuck'", [
      ['undo_requested', JSON.stringify(reason)],
    ]);
    if (givenUp) return givenUp;
    const { state } = await this.get(sagaId, manager);
    throw notStuck(sagaId, state, 'given up');
  }
}

/** Makes an unfinished saga due now, if `condition` holds for its row. */
async function wakeWhere(
  manager: EntityManager,
  sagaId: number,
  condition: string,
  changes: ReadonlyArray<readonly [column: 'undo_requested' | 'tries', value: unknown]>,
): Promise<SagaWakeUp | undefined> {
  const assignments = changes.map(([column], index) => `, ${column} = $${index + 2}`).join('');
  const [rows]: [{ version: number }[], number] = await manager.query(
    `UPDATE sagas SET wake_at = least(wake_at, now()), wakes = wakes + 1, version = version + 1,
       updated_at = now()${assignments}
     WHERE id = $1 AND finished_at IS NULL AND ${condition} RETURNING version`,
    [sagaId, ...changes.map(([, value]) => value)],
  );
  const [row] = rows;
  return row && { sagaId, version: row.version };
}

async function refuseWhenBusy(manager: EntityManager, subject: SagaSubject): Promise<void> {
  await manager.query(`SELECT pg_advisory_xact_lock(hashtextextended('saga:' || $1 || ':' || $2::text, 0))`, [
    subject.type,
    subject.id,
  ]);
  const rows: { id: number; name: string }[] = await manager.query(
    'SELECT id, name FROM sagas WHERE subject_type = $1 AND subject_id = $2 AND finished_at IS NULL LIMIT 1',
    [subject.type, subject.id],
  );
  const [busy] = rows;
  if (!busy) return;
  throw new SagaError(
    'locked',
    'saga_subject_busy',
    `${subject.type} ${subject.id} is busy with ${busy.name}: try again when that has ended`,
  );
}

function checkedParams<P>(request: SagaRequest<P>, params: P): P {
  const parsed = request.params.safeParse(params);
  if (!parsed.success) {
    const problems = parsed.error.issues
      .map((issue) => `${issue.path.join('.')}: ${issue.message}`)
      .join('; ');
    throw new SagaError('invalid_input', 'saga_params_invalid', `parameters of ${request.name}: ${problems}`);
  }
  assertJson(parsed.data, 'params');
  return parsed.data;
}

function notStuck(sagaId: number, state: SagaState, what: string): SagaError {
  return new SagaError(
    'conflict',
    'saga_not_stuck',
    `saga ${sagaId} is ${state}: only a stuck saga is ${what}`,
  );
}

function notFound(sagaId: number): SagaError {
  return new SagaError('not_found', 'saga_not_found', `there is no saga ${sagaId}`);
}
