import { suspensionOf } from '#libs/servers';
import type { PlacedServer } from './server-context.ts';
import { domainSpec } from './server-context.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

/** A server's domain has the disk of this generation, also when it is started anew; its network stays as it was. */
export async function switchDisk(
  { hypervisor, dataSource }: WorkflowDeps,
  placed: PlacedServer,
  generation: number,
): Promise<void> {
  const spec = domainSpec({ ...placed, server: { ...placed.server, generation } });
  const isSuspended = (await suspensionOf(dataSource.manager, placed.server.id)) !== undefined;
  await hypervisor.defineDomain(placed.host, isSuspended ? { ...spec, network: 'closed' } : spec);
}
