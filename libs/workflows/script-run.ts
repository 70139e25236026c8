import type { EntityManager } from 'typeorm';
import { KEPT_OUTPUT_BYTES } from '#libs/database';
import {
  type Guest,
  isHypervisorError,
  lookAtBoot,
  readScript,
  sendScript,
  startScript,
  surveyGuest,
  TIMED_OUT_CODES,
} from '#libs/hypervisor';
import type { HealthCheck } from '#libs/images';
import { sayEnd } from '#libs/kernel';
import { type CheckResult, keepOutput, Rehearsal, RehearsalRun, type RunStage } from '#libs/rehearsals';
import { PermanentError, type StepContext } from '#libs/saga';
import { passes } from './guest-checks.ts';
import { placedServer } from './power-state.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

/** A rehearsal's script is run on a server: the clone, or the one that it was cloned from. */
export interface ScriptRunParams {
  readonly rehearsalId: number;
  readonly runId: number;
  readonly serverId: number;
}

type Context = Pick<StepContext<ScriptRunParams, unknown, WorkflowDeps>, 'params' | 'deps'>;

/** How a script ended. */
export interface ScriptEnd {
  readonly exitCode: number;
  readonly seconds: number;
  readonly cutBytes: number;
  /** By this machine's clock, in milliseconds since 1970. */
  readonly at: number;
}

/** What a step of a rehearsal is told of a run that cannot succeed. */
export interface Failing {
  readonly code: 'script_failed' | 'script_timed_out' | 'checks_failed';
  readonly message: string;
}

export interface Checked {
  readonly results: readonly CheckResult[];
}

const SLICE_BYTES = 128 * 1024;
const SLICES_AT_ONCE = 8;
/** From when a script should have ended until its guest is given up. */
const OVERDUE_SECONDS = 180;

export async function guestOf(ctx: Context): Promise<Guest> {
  const { host, server } = await placedServer(ctx);
  return { hypervisor: ctx.deps.hypervisor, host, uuid: server.domainUuid };
}

export function loadRun({ deps, params }: Context): Promise<RehearsalRun> {
  return deps.dataSource.getRepository(RehearsalRun).findOneByOrFail({ id: params.runId });
}

export function loadRehearsal({ deps, params }: Context): Promise<Rehearsal> {
  return deps.dataSource.getRepository(Rehearsal).findOneByOrFail({ id: params.rehearsalId });
}

/** Surveys the guest and writes that down: surveys are too large for outputs of steps. */
export async function survey(ctx: Context, when: 'before' | 'after'): Promise<Record<string, never>> {
  const found = await surveyGuest(await guestOf(ctx));
  await ctx.deps.dataSource.query(`UPDATE rehearsal_runs SET ${when} = $2 WHERE id = $1`, [
    ctx.params.runId,
    JSON.stringify(found),
  ]);
  return {};
}

/** @throws PermanentError `script_gone` */
export async function send(ctx: Context): Promise<{ readonly bootId: string }> {
  const { rehearsalId, runId } = ctx.params;
  const script = await ctx.deps.rehearsals.scripts.read(ctx.deps.dataSource.manager, rehearsalId);
  if (script === undefined) throw new PermanentError('script_gone', 'the script is not there any more');
  return { bootId: await sendScript(await guestOf(ctx), runId, script) };
}

/** @throws PermanentError `script_lost` */
export async function start(
  ctx: Context,
  { stage, bootId }: { readonly stage: RunStage; readonly bootId: string },
): Promise<Record<string, never>> {
  const { timeoutSeconds } = await loadRehearsal(ctx);
  const { runId } = ctx.params;
  const run = { runId, bootId, timeoutSeconds, stage, keptBytes: KEPT_OUTPUT_BYTES };
  if (!(await startScript(await guestOf(ctx), run))) throw scriptLost();
  return {};
}

export async function noteStarted(manager: EntityManager, { params }: Context): Promise<void> {
  await manager.query(`UPDATE rehearsal_runs SET state = 'running', started_at = now() WHERE id = $1`, [
    params.runId,
  ]);
}

/**
 * Reads on what the script prints, from where whoever came before has read to. Undefined while it goes on; an agent that
 * does not answer, for it is being upgraded, is asked again.
 * @throws PermanentError `script_lost`, `script_overdue`
 */
export async function follow(ctx: Context): Promise<ScriptEnd | undefined> {
  const { manager } = ctx.deps.dataSource;
  const { runId } = ctx.params;
  await refuseOverdue(manager, ctx.params);
  const guest = await guestOf(ctx);
  let { keptBytes: position } = await loadRun(ctx);
  for (let slices = 0; slices < SLICES_AT_ONCE; slices += 1) {
    const mostBytes = Math.min(SLICE_BYTES, KEPT_OUTPUT_BYTES - position);
    const now = await readScript(guest, { runId, after: position, mostBytes }).catch(unlessSilent);
    if (!now) return undefined;
    if (now.state === 'lost') throw scriptLost();
    await keepOutput(manager, runId, { position, bytes: now.bytes });
    position += now.bytes.length;
    if (now.state === 'ended' && (now.isAll || position >= KEPT_OUTPUT_BYTES)) {
      const { exitCode, seconds, cutBytes } = now;
      return { exitCode, seconds, cutBytes, at: Date.now() };
    }
    if (now.bytes.length === 0) return undefined;
  }
  return undefined;
}

export async function noteEnded(
  manager: EntityManager,
  { params }: Context,
  { exitCode, seconds, cutBytes }: ScriptEnd,
): Promise<void> {
  await manager.query(
    'UPDATE rehearsal_runs SET exit_code = $2, script_seconds = $3, cut_bytes = $4 WHERE id = $1',
    [params.runId, exitCode, seconds, cutBytes],
  );
}

/** The boot that the guest is in once all of it has been started; undefined until then, and while it does not answer. */
export async function settledBoot(ctx: Context): Promise<string | undefined> {
  const boot = await lookAtBoot(await guestOf(ctx)).catch(unlessSilent);
  return boot?.isOver ? boot.bootId : undefined;
}

/** The results of the checks as soon as all pass, or when they have failed for long enough since a moment. */
export async function check(ctx: Context, sinceMilliseconds: number): Promise<Checked | undefined> {
  const { healthChecks } = await loadRehearsal(ctx);
  const results = await tryAll(ctx, healthChecks);
  const isLate = Date.now() - sinceMilliseconds > ctx.deps.rehearsals.checksSeconds * 1000;
  return isLate || results.every(({ passed }) => passed) ? { results } : undefined;
}

/** Every check, once. */
export async function tryAll(ctx: Context, checks: readonly HealthCheck[]): Promise<CheckResult[]> {
  const placed = await placedServer(ctx);
  return Promise.all(
    checks.map(async (one) => ({ check: one, passed: await passes(ctx.deps, placed, one) })),
  );
}

export async function noteChecked(
  manager: EntityManager,
  { params }: Context,
  { results }: Checked,
): Promise<void> {
  await manager.query('UPDATE rehearsal_runs SET checks = $2 WHERE id = $1', [
    params.runId,
    JSON.stringify(results),
  ]);
}

/** Why a run has failed by what the script and the checks said; undefined where it has not. */
export async function failingOf(ctx: Context, { exitCode, seconds }: ScriptEnd, { results }: Checked) {
  const { timeoutSeconds } = await loadRehearsal(ctx);
  if (TIMED_OUT_CODES.includes(exitCode) && seconds >= timeoutSeconds) {
    const message = `the script was ended after ${timeoutSeconds} seconds`;
    return { code: 'script_timed_out', message } satisfies Failing;
  }
  if (exitCode !== 0) {
    return {
      code: 'script_failed',
      message: `the script ${sayEnd({ exitCode, signal: null })}`,
    } satisfies Failing;
  }
  const failed = results.filter(({ passed }) => !passed).map(({ check: one }) => nameOf(one));
  if (failed.length === 0) return undefined;
  return { code: 'checks_failed', message: `these checks failed: ${failed.join(', ')}` } satisfies Failing;
}

function nameOf(one: HealthCheck): string {
  if (one.type === 'tcp') return `TCP port ${one.port}`;
  return `HTTP port ${one.port} ${one.path}`;
}

/** @throws PermanentError `script_overdue` */
async function refuseOverdue(manager: EntityManager, { runId, rehearsalId }: ScriptRunParams): Promise<void> {
  const overdue = await manager.query<unknown[]>(
    `SELECT 1 FROM rehearsal_runs x JOIN rehearsals r ON r.id = $2
     WHERE x.id = $1 AND x.started_at + make_interval(secs => r.timeout_seconds + $3) < now()`,
    [runId, rehearsalId, OVERDUE_SECONDS],
  );
  if (overdue.length === 0) return;
  throw new PermanentError('script_overdue', 'the guest has not said in time how the script ended');
}

/** A guest agent that does not answer now may do so later. */
function unlessSilent(error: unknown): undefined {
  if (!isHypervisorError(error, 'agent_not_answering', 'domain_not_running')) throw error;
}

function scriptLost(): PermanentError {
  return new PermanentError('script_lost', 'the machine was restarted while the script ran');
}
