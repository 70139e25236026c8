import { isHypervisorError } from '#libs/hypervisor';
import { frozenUnder, noteMerged, noteRemoved, unneededDisks } from '#libs/servers';
import type { HostWorld } from './host-world.ts';

/**
 * Keeps chains of disks short: merges the layers under the disks of running servers, bit by bit while their guests run,
 * and removes frozen disks that nothing stands on any more.
 */
export async function reconcileLayers({ dataSource, hypervisor, ref, host }: HostWorld): Promise<void> {
  for (const server of await frozenUnder(dataSource.manager, host.id)) {
    const { state } = await hypervisor.mergeLayers(ref, server.domainUuid);
    if (state === 'merged') await noteMerged(dataSource.manager, server);
  }
  for (const { id, volumeName } of await unneededDisks(dataSource.manager, host.id)) {
    try {
      await hypervisor.deleteVolume(ref, volumeName);
      await noteRemoved(dataSource.manager, id);
    } catch (error) {
      // Something stands on it that the database does not know of, or a domain has not let go of it yet.
      if (!isHypervisorError(error, 'volume_in_use')) throw error;
    }
  }
}
