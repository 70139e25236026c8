import { addressOf, releaseAddress } from '#libs/networks';
import { orderOfServer } from '#libs/orders';
import { outOfCapacity, release } from '#libs/placement';
import { deps, saga } from '#libs/saga';
import {
  deleteServerRequest,
  diskVolumeName,
  endAllRescues,
  endSuspension,
  noteRescuesRemoved,
  seedVolumeName,
  unremovedRescues,
} from '#libs/servers';
import { releaseVolumesOf } from '#libs/volumes';
import { withdrawAccess } from './access.ts';
import { removeRescues } from './rescue-context.ts';
import { findHost, loadServer } from './server-context.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

/**
 * Takes a server off its host and gives back what it held. Billing ended with the request. Whatever is gone already,
 * because the server was never finished or a step ran before, is success. Volumes are detached, with all that is on them.
 */
export const deleteServer = saga(deleteServerRequest, deps<WorkflowDeps>())
  .pointOfNoReturn('its owner asked for the deletion, and it is no longer billed')
  .step('return-payment', {
    title: 'Giving back what was paid for it, where it was not handed over',
    do: async ({ params, deps }) => {
      const order = await orderOfServer(deps.dataSource.manager, params.serverId);
      if (order.status !== 'fulfilled') await deps.payments.release(order.id);
      return {};
    },
  })
  .step('close-ports', {
    title: 'Closing its ports',
    do: async ({ params, deps }) => {
      const address = await addressOf(deps.dataSource.manager, params.serverId);
      if (address) await withdrawAccess(deps.access, address);
      return {};
    },
  })
  .step('remove-domain', {
    title: 'Removing the virtual machine',
    do: async ({ params, deps }) => {
      const { server } = await loadServer(deps.dataSource.manager, params.serverId);
      const host = await findHost(deps.dataSource.manager, server);
      if (!host) return {};
      await deps.hypervisor.destroyDomain(host, server.domainUuid);
      await deps.hypervisor.undefineDomain(host, server.domainUuid);
      return {};
    },
  })
  .step('remove-volumes', {
    title: 'Deleting its disk',
    do: async ({ params, deps }) => {
      const { server } = await loadServer(deps.dataSource.manager, params.serverId);
      const host = await findHost(deps.dataSource.manager, server);
      const rescues = await unremovedRescues(deps.dataSource.manager, server.id);
      const removed = { rescues: rescues.map(({ id }) => id) };
      if (!host) return removed;
      await deps.hypervisor.deleteVolume(host, seedVolumeName(server), { wipe: true });
      await deps.hypervisor.deleteVolume(host, diskVolumeName(server));
      await removeRescues({ params, deps }, rescues);
      return removed;
    },
    commit: async (manager, { params }, { rescues }) => {
      await endAllRescues(manager, params.serverId);
      await noteRescuesRemoved(manager, rescues);
    },
  })
  .step('release', {
    title: 'Giving back its room and address',
    transact: async (manager, { params, deps }) => {
      const { serverId } = params;
      await release(manager, serverId);
      await releaseAddress(manager, serverId);
      await releaseVolumesOf(manager, serverId);
      await endSuspension(manager, serverId);
      await deps.findings.resolve(manager, 'out_of_capacity', [outOfCapacity.server(serverId)]);
      await deps.secrets.destroyAll(manager, serverId);
      await manager.query(
        `UPDATE servers SET deleted_at = coalesce(deleted_at, now()), access = '[]', ipv4 = NULL, iso_id = NULL
         WHERE id = $1`,
        [serverId],
      );
      return {};
    },
  })
  .build();
