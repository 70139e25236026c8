import { isHypervisorError } from '#libs/hypervisor';
import type { StepContext } from '#libs/saga';
import { look, type PowerState, placedServer } from './power-state.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

/** For what the guest has not written yet, so that its disk has all that it knew. */
const SYNC_TIMEOUT_SECONDS = 30;

interface OneServer {
  readonly serverId: number;
}

/** `power` is what the server did when the workflow was asked for: a repeat cannot see that any more. */
interface Interrupted extends OneServer {
  readonly power: PowerState;
}

type Context<P> = Pick<StepContext<P, unknown, WorkflowDeps>, 'params' | 'deps'>;

/** Stops a server whose disk may be gone on from, which therefore gets what the guest still holds in memory. */
export async function stop(ctx: Context<OneServer>): Promise<void> {
  const { host, server } = await placedServer(ctx);
  await sync(ctx);
  await ctx.deps.hypervisor.destroyDomain(host, server.domainUuid);
}

/** Starts what ran before. A server whose owner has asked for its deletion meanwhile wants it no more. */
export async function startIfWanted(ctx: Context<Interrupted>): Promise<void> {
  if (ctx.params.power === 'off') return;
  const { host, server } = await placedServer(ctx);
  if (server.desired === 'deleted') return;
  await ctx.deps.hypervisor.startDomain(host, server.domainUuid);
}

/** Best effort: a guest that does not listen is stopped all the same. */
async function sync(ctx: Context<OneServer>): Promise<void> {
  const { host, server } = await placedServer(ctx);
  const { hypervisor } = ctx.deps;
  if ((await look(ctx)) === 'off' || !(await hypervisor.agentPing(host, server.domainUuid))) return;
  const options = { timeoutSeconds: SYNC_TIMEOUT_SECONDS };
  await hypervisor.agentExec(host, server.domainUuid, ['/bin/sync'], options).catch((error: unknown) => {
    if (!isHypervisorError(error, 'agent_not_answering', 'agent_refused')) throw error;
  });
}
