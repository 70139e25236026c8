import type { EntityManager } from 'typeorm';
import { cancelScript, clearScript, type Guest, isHypervisorError } from '#libs/hypervisor';
import { Image } from '#libs/images';
import { sleep } from '#libs/kernel';
import { queueMailToHolder } from '#libs/mail';
import { applyRehearsalRequest, type RunState } from '#libs/rehearsals';
import { deps, PermanentError, type StepContext, saga } from '#libs/saga';
import { insertImage } from '#libs/servers';
import { placedServer } from './power-state.ts';
import {
  cloneFrozen,
  nextVolume,
  noteRollBack,
  type RollingBack,
  restoreAccess,
  switchToNext,
} from './rolling-back.ts';
import {
  check,
  failingOf,
  follow,
  guestOf,
  loadRehearsal,
  noteChecked,
  noteEnded,
  noteStarted,
  type ScriptRunParams,
  send,
  start,
  survey,
  tryAll,
} from './script-run.ts';
import { loadServer } from './server-context.ts';
import { startIfWanted, stop } from './stop-and-start.ts';
import { noteBecome, openFormer, openUpgraded } from './upgrading.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

/** Beyond the longest time that a script may take, and what is given to guests after it. */
const SCRIPT_DEADLINE_SECONDS = 2 * 3600 + 600;
const CHECKS_DEADLINE_SECONDS = 600;
/** For a server that was rolled back to boot and answer. */
const ANSWERS_WITHIN_SECONDS = 600;

type Context = StepContext<ScriptRunParams & RollingBack, unknown, WorkflowDeps>;

/**
 * Does on a server what was rehearsed on its clone. Its snapshot is made right before, by a workflow of its own. From the
 * moment at which the script may have started there is one way back: the server is put back to the snapshot in place.
 */
export const applyRehearsal = saga(applyRehearsalRequest, deps<WorkflowDeps>())
  .step('snapshot-made', {
    title: 'Taking a snapshot',
    do: async ({ params, deps }) => {
      const images = deps.dataSource.getRepository(Image);
      const { status } = await images.findOneByOrFail({ id: params.imageId });
      if (status === 'available') return {};
      throw new PermanentError('snapshot_failed', 'no snapshot could be taken: nothing was changed');
    },
    undoTransact: (manager, ctx) => concludeFailed(manager, ctx),
  })
  .step('survey-before', {
    title: 'Noting what it is',
    do: (ctx) => survey(ctx, 'before'),
    noUndo: 'only looks',
  })
  .step('send-script', {
    title: 'Handing it the script',
    do: send,
    undo: clear,
  })
  .step('start-script', {
    title: 'Starting the script',
    timeoutSeconds: ANSWERS_WITHIN_SECONDS + 300,
    do: (ctx) => start(ctx, { stage: 'production', bootId: ctx.outputs['send-script'].bootId }),
    commit: noteStarted,
    undo: async (ctx) => {
      if (!ctx.output && (await isKeptFromStarting(ctx))) return null;
      await goBack(ctx);
      const restored = await restoreAccess(ctx);
      return { ...restored, answersAgain: await answersAgain(ctx) };
    },
    undoTransact: async (manager, ctx, seen) => {
      if (!seen) return;
      const { serverId, runId, keptImageId } = ctx.params;
      const { server } = await loadServer(manager, serverId);
      await insertImage(manager, server, {
        id: keptImageId,
        type: 'snapshot',
        madeBy: 'roll_back',
        description: 'What the failed upgrade left behind',
        labels: {},
      });
      await noteRollBack(manager, ctx, seen);
      await manager.query('UPDATE rehearsal_runs SET answers_again = $2 WHERE id = $1', [
        runId,
        seen.answersAgain,
      ]);
    },
  })
  .wait('script-ends', {
    title: 'Running the script',
    deadlineSeconds: SCRIPT_DEADLINE_SECONDS,
    everySeconds: 1,
    check: follow,
    commit: noteEnded,
    noUndo: 'what the script did is taken back where it was started',
  })
  .wait('checked', {
    title: 'Checking its health',
    deadlineSeconds: CHECKS_DEADLINE_SECONDS,
    everySeconds: 2,
    check: async (ctx) => {
      const { exitCode, at } = ctx.outputs['script-ends'];
      return exitCode === 0 ? check(ctx, at) : { results: [] };
    },
    commit: noteChecked,
    noUndo: 'only looks',
  })
  .step('survey-after', {
    title: 'Noting what it has become',
    do: (ctx) => survey(ctx, 'after'),
    noUndo: 'only looks',
  })
  .step('judge', {
    title: 'Comparing it with what was expected',
    do: async (ctx) => {
      const failing = await failingOf(ctx, ctx.outputs['script-ends'], ctx.outputs.checked);
      if (failing) throw new PermanentError(failing.code, failing.message);
      return {};
    },
    noUndo: 'only looks',
  })
  .step('switch-ports', {
    title: 'Opening its ports',
    do: openUpgraded,
    commit: noteBecome,
    undo: openFormer,
    undoTransact: noteBecome,
  })
  .pointOfNoReturn('the server does its work with what the script has made of it')
  .step('clear-script', { title: 'Removing the script', do: clear })
  .step('conclude', {
    title: 'Writing the report',
    transact: async (manager, { params }) => {
      await noteEnd(manager, params.runId, 'passed', null);
      await manager.query(`UPDATE rehearsals SET state = 'applied', script = NULL WHERE id = $1`, [
        params.rehearsalId,
      ]);
      return {};
    },
  })
  .build();

/** What the script has in the guest's memory; a guest that does not answer loses it when it is next restarted. */
async function clear(ctx: Context): Promise<Record<string, never>> {
  await whereItAnswers(ctx, (guest) => clearScript(guest, ctx.params.runId));
  return {};
}

/** True where it is certain that the script was not started and never will be. */
async function isKeptFromStarting(ctx: Context): Promise<boolean> {
  return (await whereItAnswers(ctx, (guest) => cancelScript(guest, ctx.params.runId))) ?? false;
}

async function whereItAnswers<T>(ctx: Context, work: (guest: Guest) => Promise<T>): Promise<T | undefined> {
  return work(await guestOf(ctx)).catch((error: unknown) => {
    if (isHypervisorError(error, 'agent_not_answering', 'agent_refused', 'domain_not_running'))
      return undefined;
    throw error;
  });
}

/** The server runs from its snapshot again. Once its domain has the new disk, a repeat only starts it. */
async function goBack(ctx: Context): Promise<void> {
  const { host, server } = await placedServer(ctx);
  const domains = await ctx.deps.hypervisor.listDomains(host);
  const domain = domains.find(({ uuid }) => uuid === server.domainUuid);
  if (domain?.volumes.includes(nextVolume(ctx))) return startIfWanted(ctx);
  await cloneFrozen(ctx);
  await stop(ctx);
  await switchToNext(ctx);
}

/** Waits until the server passes its checks again. One that is being deleted is not waited for. */
async function answersAgain(ctx: Context): Promise<boolean> {
  const { healthChecks } = await loadRehearsal(ctx);
  const deadline = Date.now() + ANSWERS_WITHIN_SECONDS * 1000;
  for (;;) {
    const results = await tryAll(ctx, healthChecks);
    if (results.every(({ passed }) => passed)) return true;
    const { server } = await placedServer(ctx);
    if (server.desired === 'deleted' || Date.now() > deadline) return false;
    await sleep(2000, ctx.signal);
  }
}

type Undone = Context & { readonly reason: { readonly code: string; readonly message: string } };

/** Tells the owner that it was not applied, and whether anything had to be taken back. */
async function concludeFailed(manager: EntityManager, { params, reason }: Undone): Promise<void> {
  const { rehearsalId, runId, serverId } = params;
  const [run] = await manager.query<{ answersAgain: boolean | null }[]>(
    'SELECT answers_again AS "answersAgain" FROM rehearsal_runs WHERE id = $1',
    [runId],
  );
  const answersAgain = run?.answersAgain ?? null;
  const isRolledBack = answersAgain !== null;
  await noteEnd(manager, runId, isRolledBack ? 'rolled_back' : 'failed', reason);
  // Where nothing was changed, it may be applied as before.
  await manager.query(
    `UPDATE rehearsals r SET script = CASE WHEN $2 THEN NULL ELSE script END,
       state = CASE WHEN $2 THEN 'rolled_back' ELSE (
         SELECT x.state FROM rehearsal_runs x WHERE x.rehearsal_id = r.id AND x.stage = 'rehearsal'
         ORDER BY x.created_at DESC LIMIT 1) END
     WHERE id = $1`,
    [rehearsalId, isRolledBack],
  );
  const { server } = await loadServer(manager, serverId);
  await queueMailToHolder(manager, {
    cause: `rehearsal run ${runId}`,
    accountId: server.accountId,
    template: 'upgrade-not-applied',
    data: { server: server.name, reason: reason.message, answersAgain, rehearsalId },
  });
}

async function noteEnd(
  manager: EntityManager,
  runId: number,
  state: RunState,
  reason: { readonly code: string; readonly message: string } | null,
): Promise<void> {
  await manager.query(
    `UPDATE rehearsal_runs SET state = $2, error_code = $3, error_message = $4, finished_at = now() WHERE id = $1`,
    [runId, state, reason?.code ?? null, reason?.message ?? null],
  );
}
