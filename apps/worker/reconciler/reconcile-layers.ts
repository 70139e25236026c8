import { isHypervisorError } from '#libs/hypervisor';
import { SagaStore } from '#libs/saga';
import {
  frozenUnder,
  keepDisk,
  mergeLayersRequest,
  noteMemoryRemoved,
  noteMerged,
  retireDisk,
  unneededDisks,
  unneededMemory,
} from '#libs/servers';
import type { HostWorld } from './host-world.ts';

/**
 * Keeps chains of disks short: merges the layers under the disks of running servers, bit by bit while their guests run,
 * asks for the same of one server that is off, and removes frozen disks that nothing stands on any more, and memory that
 * no image has.
 */
export async function reconcileLayers({ dataSource, hypervisor, ref, host }: HostWorld): Promise<void> {
  for (const server of await frozenUnder(dataSource.manager, host.id, 'running')) {
    const { state } = await hypervisor.mergeLayers(ref, server.domainUuid);
    if (state === 'merged') await noteMerged(dataSource.manager, server);
  }
  await mergeOneThatIsOff(dataSource, host.id);
  for (const { id, volumeName } of await unneededMemory(dataSource.manager, host.id)) {
    await hypervisor.deleteVolume(ref, volumeName);
    await noteMemoryRemoved(dataSource.manager, id);
  }
  for (const { id, volumeName } of await unneededDisks(dataSource.manager, host.id)) {
    if (!(await retireDisk(dataSource, id))) continue;
    try {
      await hypervisor.deleteVolume(ref, volumeName);
    } catch (error) {
      await keepDisk(dataSource.manager, id);
      // Something stands on it that the database does not know of, or a domain has not let go of it yet.
      if (!isHypervisorError(error, 'volume_in_use')) throw error;
    }
  }
}

/** One at a time on each host: it has the server for itself meanwhile, and its owner may want to start it. */
async function mergeOneThatIsOff(dataSource: HostWorld['dataSource'], hostId: number): Promise<void> {
  const [underWay] = await dataSource.query<unknown[]>(
    `SELECT FROM sagas g JOIN servers s ON s.id = g.subject_id
     WHERE g.name = $1 AND g.finished_at IS NULL AND s.host_id = $2 LIMIT 1`,
    [mergeLayersRequest.name, hostId],
  );
  if (underWay) return;
  const [server] = await frozenUnder(dataSource.manager, hostId, 'off');
  if (!server) return;
  const subject = { type: 'server', id: server.id };
  await new SagaStore(dataSource).start(
    dataSource.manager,
    mergeLayersRequest,
    { serverId: server.id },
    { subject },
  );
}
