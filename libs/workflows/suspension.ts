import { isHypervisorError, type NetworkState } from '#libs/hypervisor';
import type { StepContext } from '#libs/saga';
import { type PowerState, placedServer } from './power-state.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

type Context = Pick<StepContext<{ serverId: number }, unknown, WorkflowDeps>, 'params' | 'deps'>;

/** False where a suspension has been lifted before its workflow began: then each of its steps does nothing. */
export function isSuspending({
  outputs,
}: {
  readonly outputs: { readonly 'remember-power': { readonly power: PowerState | null } };
}): boolean {
  return outputs['remember-power'].power !== null;
}

/** Opens or closes a server's network. A domain that its host has lost has none; the reconciler tells of it. */
export async function setNetwork(ctx: Context, network: NetworkState): Promise<void> {
  const { server, host } = await placedServer(ctx);
  await ctx.deps.hypervisor.setNetwork(host, server.domainUuid, network).catch((error: unknown) => {
    if (!isHypervisorError(error, 'domain_missing')) throw error;
  });
}
