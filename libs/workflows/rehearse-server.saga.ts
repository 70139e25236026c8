import type { EntityManager } from 'typeorm';
import { Rehearsal, rehearseServerRequest, releaseClone } from '#libs/rehearsals';
import { deps, PermanentError, SagaStore, type StepContext, saga } from '#libs/saga';
import { placedServer } from './power-state.ts';
import {
  check,
  type Failing,
  failingOf,
  follow,
  noteChecked,
  noteEnded,
  noteStarted,
  type ScriptRunParams,
  send,
  settledBoot,
  start,
  survey,
} from './script-run.ts';
import { noteBecome, openFormer, openUpgraded } from './upgrading.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

/** The server may be busy with something else, and its clone has to boot. */
const CLONE_DEADLINE_SECONDS = 2 * 3600;
/** Beyond the longest time that a script may take, and what is given to guests after it. */
const SCRIPT_DEADLINE_SECONDS = 2 * 3600 + 600;
const BOOT_DEADLINE_SECONDS = 900;
const CHECKS_DEADLINE_SECONDS = 600;

type Context = Pick<StepContext<ScriptRunParams, unknown, WorkflowDeps>, 'params' | 'deps'>;

/**
 * Tries a script on a clone that opens no connection: what the system was before, the script, a reboot, the checks, what it
 * is then. That it fails is a result like any other. Whatever the end, the clone goes, unless its owner wants to look at it.
 */
export const rehearseServer = saga(rehearseServerRequest, deps<WorkflowDeps>())
  .wait('clone-ready', {
    title: 'Cloning the server',
    deadlineSeconds: CLONE_DEADLINE_SECONDS,
    everySeconds: 2,
    check: ({ deps, params }) => cloneReady(deps, params),
    undoTransact: (manager, ctx) => {
      const keepsClone = ctx.output !== undefined && ctx.reason.code !== 'undo_requested';
      return conclude(manager, ctx, { state: 'failed', failing: ctx.reason, keepsClone });
    },
  })
  .wait('clone-settled', {
    title: 'Waiting until all of it has started',
    deadlineSeconds: BOOT_DEADLINE_SECONDS,
    everySeconds: 1,
    check: async (ctx) => ((await settledBoot(ctx)) === undefined ? undefined : {}),
    noUndo: 'only looks',
  })
  .step('survey-before', {
    title: 'Noting what it is',
    do: (ctx) => survey(ctx, 'before'),
    noUndo: 'only looks',
  })
  .step('send-script', {
    title: 'Handing it the script',
    do: send,
    noUndo: 'it goes with the clone',
  })
  .step('start-script', {
    title: 'Starting the script',
    do: (ctx) => start(ctx, { stage: 'rehearsal', bootId: ctx.outputs['send-script'].bootId }),
    commit: noteStarted,
    noUndo: 'it goes with the clone',
  })
  .wait('script-ends', {
    title: 'Running the script',
    deadlineSeconds: SCRIPT_DEADLINE_SECONDS,
    everySeconds: 1,
    check: follow,
    commit: noteEnded,
    noUndo: 'it goes with the clone',
  })
  .wait('restart', {
    title: 'Restarting it',
    deadlineSeconds: BOOT_DEADLINE_SECONDS,
    everySeconds: 1,
    check: async (ctx) => {
      if (ctx.outputs['script-ends'].exitCode !== 0) return {};
      const now = await settledBoot(ctx);
      if (now === undefined) return undefined;
      const { host, server } = await placedServer(ctx);
      // A script may have restarted it by itself.
      if (now === ctx.outputs['send-script'].bootId) {
        await ctx.deps.hypervisor.rebootDomain(host, server.domainUuid);
      }
      return {};
    },
    noUndo: 'it goes with the clone',
  })
  .wait('booted', {
    title: 'Booting',
    deadlineSeconds: BOOT_DEADLINE_SECONDS,
    everySeconds: 1,
    check: async (ctx) => {
      const at = Date.now();
      if (ctx.outputs['script-ends'].exitCode !== 0) return { at };
      const now = await settledBoot(ctx);
      return now === undefined || now === ctx.outputs['send-script'].bootId ? undefined : { at };
    },
    noUndo: 'only looks',
  })
  .wait('checked', {
    title: 'Checking its health',
    deadlineSeconds: CHECKS_DEADLINE_SECONDS,
    everySeconds: 2,
    check: async (ctx) =>
      ctx.outputs['script-ends'].exitCode === 0 ? check(ctx, ctx.outputs.booted.at) : { results: [] },
    commit: noteChecked,
    noUndo: 'only looks',
  })
  .step('survey-after', {
    title: 'Noting what it has become',
    do: (ctx) => survey(ctx, 'after'),
    noUndo: 'only looks',
  })
  .step('switch-ports', {
    title: 'Opening its ports',
    do: async (ctx) => {
      const failing = await failingOf(ctx, ctx.outputs['script-ends'], ctx.outputs.checked);
      return failing ? null : openUpgraded(ctx);
    },
    commit: noteBecome,
    undo: openFormer,
    undoTransact: noteBecome,
  })
  .step('conclude', {
    title: 'Writing the report',
    transact: async (manager, ctx) => {
      const failing = await failingOf(ctx, ctx.outputs['script-ends'], ctx.outputs.checked);
      const state = failing ? ('failed' as const) : ('passed' as const);
      await conclude(manager, ctx, { state, failing, keepsClone: true });
      return {};
    },
    noUndo: 'it is concluded anew',
  })
  .build();

/** Undefined while it is being made. @throws PermanentError with what kept it from being made */
async function cloneReady({ dataSource }: WorkflowDeps, { serverId }: ScriptRunParams) {
  const [clone] = await dataSource.query<CloneRow[]>(
    `SELECT s.ready_at IS NOT NULL AND s.observed = 'running' AS "isReady", s.desired = 'deleted' AS "isGone",
            a.error_code AS code, a.error_message AS message
     FROM servers s LEFT JOIN LATERAL (
       SELECT error_code, error_message FROM actions WHERE server_id = s.id AND status = 'error'
       ORDER BY started_at LIMIT 1) a ON true
     WHERE s.id = $1`,
    [serverId],
  );
  if (!clone || clone.isGone) {
    throw new PermanentError(clone?.code ?? 'clone_gone', clone?.message ?? 'the clone was deleted');
  }
  return clone.isReady ? {} : undefined;
}

interface CloneRow {
  readonly isReady: boolean;
  readonly isGone: boolean;
  readonly code: string | null;
  readonly message: string | null;
}

interface Conclusion {
  readonly state: 'passed' | 'failed';
  readonly failing: Failing | { readonly code: string; readonly message: string } | undefined;
  /** Where its owner wants that. */
  readonly keepsClone: boolean;
}

async function conclude(
  manager: EntityManager,
  ctx: Context,
  { state, failing, keepsClone }: Conclusion,
): Promise<void> {
  const { rehearsalId, runId } = ctx.params;
  await manager.query(
    `UPDATE rehearsal_runs SET state = $2, error_code = $3, error_message = $4, finished_at = now() WHERE id = $1`,
    [runId, state, failing?.code ?? null, failing?.message ?? null],
  );
  await manager.query(`UPDATE rehearsals SET state = $2, finished_at = now() WHERE id = $1`, [
    rehearsalId,
    state,
  ]);
  const rehearsal = await manager.getRepository(Rehearsal).findOneByOrFail({ id: rehearsalId });
  if (keepsClone && rehearsal.keepCloneHours > 0) {
    await manager.query(
      `UPDATE rehearsals r SET clone_expires_at = now() + make_interval(hours => $2::int)
       FROM servers s WHERE r.id = $1 AND s.id = r.clone_server_id AND s.desired <> 'deleted'`,
      [rehearsalId, rehearsal.keepCloneHours],
    );
    return;
  }
  await releaseClone(manager, new SagaStore(ctx.deps.dataSource), rehearsal);
}
