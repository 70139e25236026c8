import { deps, saga } from '#libs/saga';
import { diskVolumeName, provisionServerRequest, seedVolumeName } from '#libs/servers';
import { choosingHost } from './choosing-host.ts';
import { makeApplicationSecrets, makeHostKey, writeSeed } from './first-boot.ts';
import {
  answersAsItself,
  assertStillRunning,
  hasBootedFirst,
  isHealthy,
  verificationOf,
} from './guest-checks.ts';
import {
  awaitingBank,
  capturingPayment,
  confirmingHold,
  erasingSeed,
  giveUp,
  handingOver,
  holdingPayment,
  leavingPowerAsOrdered,
  openingPorts,
  startingDomain,
  undefiningDomain,
} from './provisioning.ts';
import { bringingVolumes, mountingVolumes } from './provisioning-volumes.ts';
import { baseOf, domainSpec, findHost, loadPlaced, loadServer } from './server-context.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

/** A guest under emulation needs a minute or more to its first answer. */
const BOOT_DEADLINE_SECONDS = 900;

/** From an order to a verified server; what any order does beside making it is in `provisioning.ts`. */
export const provisionServer = saga(provisionServerRequest, deps<WorkflowDeps>())
  .wait('place', { ...choosingHost, undoTransact: giveUp })
  .step('hold-payment', holdingPayment)
  .wait('payment-confirmed', awaitingBank)
  .step('make-identity', {
    title: 'Making its SSH identity',
    transact: async (manager, { params, deps }) => {
      const { image } = await loadServer(manager, params.serverId);
      const hostKey = await makeHostKey(manager, deps, params.serverId);
      await makeApplicationSecrets(manager, deps, params.serverId, image);
      await manager.query(`UPDATE servers SET host_key = $2 WHERE id = $1`, [params.serverId, hostKey]);
      return { hostKey };
    },
    undoTransact: async (manager, { params, deps }) =>
      deps.secrets.destroy(manager, params.serverId, 'host_key', 'pending_application'),
  })
  .step('clone-disk', {
    title: 'Cloning the golden image',
    do: async ({ params, deps }) => {
      const { server, host, image } = await loadPlaced(deps.dataSource.manager, params.serverId);
      const volumeName = diskVolumeName(server);
      await deps.hypervisor.createOverlay(host, {
        volumeName,
        base: await baseOf(deps.dataSource.manager, image),
        sizeGib: server.diskGib,
      });
      return { volumeName };
    },
    undo: async ({ params, deps }) => {
      const { server } = await loadServer(deps.dataSource.manager, params.serverId);
      const host = await findHost(deps.dataSource.manager, server);
      if (host) await deps.hypervisor.deleteVolume(host, diskVolumeName(server));
    },
  })
  .step('write-seed', {
    title: 'Writing its first-boot seed',
    do: async ({ params, deps }) => {
      const placed = await loadPlaced(deps.dataSource.manager, params.serverId);
      await writeSeed(deps, placed);
      return { volumeName: seedVolumeName(placed.server) };
    },
    undo: async ({ params, deps }) => {
      const { server } = await loadServer(deps.dataSource.manager, params.serverId);
      const host = await findHost(deps.dataSource.manager, server);
      if (host) await deps.hypervisor.deleteVolume(host, seedVolumeName(server), { wipe: true });
    },
  })
  .step('bring-volumes', bringingVolumes)
  .step('define-domain', {
    title: 'Defining the virtual machine',
    do: async ({ params, deps }) => {
      const placed = await loadPlaced(deps.dataSource.manager, params.serverId);
      await deps.hypervisor.defineDomain(placed.host, {
        ...domainSpec(placed),
        seedVolume: seedVolumeName(placed.server),
      });
      return { uuid: placed.server.domainUuid };
    },
    undo: undefiningDomain,
  })
  .step('start-domain', startingDomain)
  .wait('agent-answers', {
    title: 'Booting',
    deadlineSeconds: BOOT_DEADLINE_SECONDS,
    everySeconds: 1,
    check: async ({ params, deps, outputs }) => {
      const placed = await loadPlaced(deps.dataSource.manager, params.serverId);
      await assertStillRunning(deps, placed);
      const verifiedBy = await verificationOf(deps, placed, outputs['start-domain'].startedAt);
      return verifiedBy && { verifiedBy };
    },
    noUndo: 'only looks',
  })
  .wait('ssh-verified', {
    title: 'Checking its SSH identity',
    deadlineSeconds: BOOT_DEADLINE_SECONDS,
    everySeconds: 1,
    check: async ({ params, deps, outputs }) => {
      const placed = await loadPlaced(deps.dataSource.manager, params.serverId);
      await assertStillRunning(deps, placed);
      if (outputs['agent-answers'].verifiedBy !== 'identity') return {};
      return (await answersAsItself(deps, placed)) ? {} : undefined;
    },
    noUndo: 'only looks',
  })
  .wait('healthy', {
    title: 'Checking its health',
    deadlineSeconds: BOOT_DEADLINE_SECONDS,
    everySeconds: 2,
    check: async ({ params, deps }) => {
      const placed = await loadPlaced(deps.dataSource.manager, params.serverId);
      await assertStillRunning(deps, placed);
      return (await hasBootedFirst(deps, placed)) && (await isHealthy(deps, placed)) ? {} : undefined;
    },
    noUndo: 'only looks',
  })
  .step('mount-volumes', mountingVolumes)
  .step('erase-seed', erasingSeed)
  .step('publish-access', openingPorts)
  .wait('power-as-asked', leavingPowerAsOrdered)
  .step('confirm-hold', confirmingHold)
  .pointOfNoReturn('the server works and its payment stands', 'take_back')
  .step('capture-payment', capturingPayment)
  .step('hand-over', handingOver)
  .build();
