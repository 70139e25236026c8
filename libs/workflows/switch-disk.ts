import type { DomainSpec } from '#libs/hypervisor';
import { suspensionOf } from '#libs/servers';
import type { PlacedServer } from './server-context.ts';
import { domainSpec } from './server-context.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

/** Defines a server's domain anew, with what differs from what its rows say; its network stays as it was. */
export async function defineAs(
  { hypervisor, dataSource }: WorkflowDeps,
  placed: PlacedServer,
  difference: Partial<DomainSpec>,
): Promise<void> {
  const isSuspended = (await suspensionOf(dataSource.manager, placed.server.id)) !== undefined;
  const network = isSuspended && ({ network: 'closed' } as const);
  await hypervisor.defineDomain(placed.host, { ...domainSpec(placed), ...difference, ...network });
}

/** A server's domain has the disk of this generation, also when it is started anew; its network stays as it was. */
export async function switchDisk(
  deps: WorkflowDeps,
  placed: PlacedServer,
  generation: number,
): Promise<void> {
  await defineAs(deps, { ...placed, server: { ...placed.server, generation } }, {});
}
