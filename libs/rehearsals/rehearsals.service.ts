import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager, In } from 'typeorm';
import { runInTransaction } from '#libs/database';
import { firstPage, type ListQuery, type Page, pageOf } from '#libs/listing';
import { SagaStore } from '#libs/saga';
import { refuseWhileInvestigated } from '#libs/servers';
import { Rehearsal } from './rehearsal.entity.ts';
import { RehearsalRun, type RunStage } from './rehearsal-run.entity.ts';
import { rehearsalSubjectOf } from './rehearsal-sagas.ts';
import { rehearsalNotFound, rehearsalsError } from './rehearsals.errors.ts';
import { releaseClone } from './release-clone.ts';
import { readOutput } from './run-output.ts';

/** For so long after it was asked for, a rehearsal says enough of its server to be applied. */
export const APPLICABLE_DAYS = 7;
const SLICE_BYTES = 64 * 1024;

/** A rehearsal with its newest run of each stage. */
export interface RehearsalWithRuns {
  readonly rehearsal: Rehearsal;
  readonly runs: Readonly<Partial<Record<RunStage, RehearsalRun>>>;
}

export interface OutputSlice {
  readonly text: string;
  /** Where to read on. */
  readonly next: number;
  /** Whether there will never be more. */
  readonly isEnd: boolean;
  /** Printed beyond what is kept. */
  readonly cutBytes: number;
}

/** The rehearsals of projects: looking at them, and giving them up. */
@Injectable()
export class RehearsalsService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly sagas: SagaStore,
  ) {}

  /** Filters: server, status. Sorts: id, created. Without the surveys, which are large. */
  list(projectId: number, query: ListQuery = firstPage): Promise<Page<Rehearsal>> {
    const builder = this.dataSource
      .getRepository(Rehearsal)
      .createQueryBuilder('rehearsal')
      .where('rehearsal.projectId = :projectId', { projectId });
    return pageOf(builder, query, {
      id: 'rehearsal.id',
      filters: { server: 'rehearsal.serverId', status: 'rehearsal.state' },
      sorts: { id: 'rehearsal.id', created: 'rehearsal.createdAt' },
    });
  }

  /** @throws DomainError `rehearsal_not_found`, also when it is another project's */
  async get(projectId: number, id: number): Promise<RehearsalWithRuns> {
    const rehearsal = await this.dataSource.getRepository(Rehearsal).findOneBy({ id, projectId });
    if (!rehearsal) throw rehearsalNotFound(id);
    const runs = await this.dataSource
      .getRepository(RehearsalRun)
      .find({ where: { rehearsalId: id }, order: { createdAt: 'ASC' } });
    return { rehearsal, runs: Object.fromEntries(runs.map((run) => [run.stage, run])) };
  }

  /**
   * What the script has printed after a position, at most 64 KiB of it; nothing where it was not run in that stage.
   * @throws DomainError `rehearsal_not_found`
   */
  async output(projectId: number, id: number, stage: RunStage, after: number): Promise<OutputSlice> {
    const { runs } = await this.get(projectId, id);
    const run = runs[stage];
    if (!run) return { text: '', next: 0, isEnd: true, cutBytes: 0 };
    // Known before it is read: nothing is added to the output of a script that has ended.
    const isWhole = run.exitCode !== null || run.finishedAt !== null;
    const { manager } = this.dataSource;
    const { text, next } = await readOutput(manager, run.id, { after, mostBytes: SLICE_BYTES, isWhole });
    return { text, next, isEnd: isWhole && next >= run.keptBytes, cutBytes: run.cutBytes };
  }

  /**
   * Gives a rehearsal up: one that is under way ends, its clone is deleted, and one that has ended is forgotten. One that
   * is being applied has to end.
   * @throws DomainError `rehearsal_not_found`, `rehearsal_under_way`; ServersError `server_suspended`
   */
  async delete(projectId: number, id: number): Promise<void> {
    await runInTransaction(this.dataSource, async (manager) => {
      const rehearsal = await lockRehearsal(manager, projectId, id);
      await refuseWhileInvestigated(manager, projectId, 'server');
      if (rehearsal.state === 'applying') {
        throw rehearsalsError(
          'rehearsal_under_way',
          `rehearsal ${id} is being applied: wait until it has ended`,
        );
      }
      if (rehearsal.state === 'rehearsing') return this.turnBack(manager, id);
      await releaseClone(manager, this.sagas, rehearsal);
      await manager.getRepository(Rehearsal).delete({ id });
    });
  }

  /** Deletes clones that were kept for long enough, and scripts that can be applied no more. @returns how many clones */
  async removeExpired(): Promise<number> {
    return runInTransaction(this.dataSource, async (manager) => {
      await manager.query(
        `UPDATE rehearsals SET script = NULL WHERE script IS NOT NULL AND state IN ('passed', 'failed')
         AND created_at < now() - make_interval(days => $1::int)`,
        [APPLICABLE_DAYS],
      );
      const expired = await manager.query<{ id: number }[]>(
        'SELECT id FROM rehearsals WHERE clone_expires_at < now() FOR UPDATE SKIP LOCKED',
      );
      const rehearsals = await manager
        .getRepository(Rehearsal)
        .findBy({ id: In(expired.map(({ id }) => id)) });
      for (const rehearsal of rehearsals) await releaseClone(manager, this.sagas, rehearsal);
      return rehearsals.length;
    });
  }

  private async turnBack(manager: EntityManager, id: number): Promise<void> {
    const subject = rehearsalSubjectOf(id);
    for (const saga of await this.sagas.list({ subject, states: ['running', 'stuck'] }, manager)) {
      await this.sagas.requestUndo(manager, saga.id, 'it was given up');
    }
  }
}

/** The row of a rehearsal of a project, locked until the transaction ends. @throws DomainError `rehearsal_not_found` */
export async function lockRehearsal(
  manager: EntityManager,
  projectId: number,
  id: number,
): Promise<Rehearsal> {
  const found = await manager
    .getRepository(Rehearsal)
    .findOne({ where: { id, projectId }, lock: { mode: 'pessimistic_write' } });
  if (!found) throw rehearsalNotFound(id);
  return found;
}
