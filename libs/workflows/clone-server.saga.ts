import type { EntityManager } from 'typeorm';
import { isHypervisorError } from '#libs/hypervisor';
import type { Verification } from '#libs/images';
import { deps, PermanentError, SagaStore, saga } from '#libs/saga';
import { cloneServerRequest, diskVolumeName, FrozenDisk, lockServer, seedVolumeName } from '#libs/servers';
import { choosingHost } from './choosing-host.ts';
import { makeHostKey, writeSeed } from './first-boot.ts';
import { answersAsItself, assertStillRunning, verificationOf } from './guest-checks.ts';
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
import { domainSpec, findHost, loadPlaced, loadServer, type PlacedServer } from './server-context.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

/** The original may have to be done with something else first. */
const FREEZE_DEADLINE_SECONDS = 3600;
const BOOT_DEADLINE_SECONDS = 900;
const LOOK_TIMEOUT_SECONDS = 10;
const HOST_KEY_FILE = '/etc/ssh/ssh_host_ed25519_key.pub';

/**
 * From an order to a verified copy of another server, in an overlay on what was frozen of that one's disk. A safe clone
 * boots as a new machine on its own network; an exact one is left as it is, and is known by its agent, for it is on none.
 * Whether its services answer was its original's owner to judge. All else of an order is in `provisioning.ts`.
 */
export const cloneServer = saga(cloneServerRequest, deps<WorkflowDeps>())
  .wait('frozen', {
    title: 'Freezing the disk of the original',
    deadlineSeconds: FREEZE_DEADLINE_SECONDS,
    everySeconds: 1,
    transact: (manager, { params, deps }) => frozenDisk(manager, deps, params),
    undoTransact: giveUp,
  })
  .wait('place', { ...choosingHost, noUndo: 'its room is given back with the order' })
  .step('hold-payment', holdingPayment)
  .wait('payment-confirmed', awaitingBank)
  .step('make-identity', {
    title: 'Making its SSH identity',
    transact: async (manager, { params, deps }) => {
      const server = await lockServer(manager, params.serverId);
      if (server.cloneKind === 'exact') return {};
      const hostKey = await makeHostKey(manager, deps, server.id);
      await manager.query(`UPDATE servers SET host_key = $2 WHERE id = $1`, [server.id, hostKey]);
      return {};
    },
    undoTransact: async (manager, { params, deps }) =>
      deps.secrets.destroy(manager, params.serverId, 'host_key'),
  })
  .step('clone-disk', {
    title: 'Cloning the disk',
    do: async ({ params, outputs, deps }) => {
      const { server, host } = await loadPlaced(deps.dataSource.manager, params.serverId);
      await deps.hypervisor.createOverlay(host, {
        volumeName: diskVolumeName(server),
        base: { frozen: outputs.frozen.volumeName },
        sizeGib: server.diskGib,
      });
      return {};
    },
    commit: async (manager, { params }) => {
      await manager.query('UPDATE servers SET stands_on = copied_disk_id WHERE id = $1', [params.serverId]);
    },
    undo: async ({ params, deps }) => {
      const { server } = await loadServer(deps.dataSource.manager, params.serverId);
      const host = await findHost(deps.dataSource.manager, server);
      if (host) await deps.hypervisor.deleteVolume(host, diskVolumeName(server));
    },
  })
  .step('write-seed', {
    title: 'Writing what makes it a new machine',
    do: async ({ params, deps }) => {
      const placed = await loadPlaced(deps.dataSource.manager, params.serverId);
      if (!isExact(placed)) await writeSeed(deps, placed);
      return {};
    },
    undo: async ({ params, deps }) => {
      const { server } = await loadServer(deps.dataSource.manager, params.serverId);
      const host = await findHost(deps.dataSource.manager, server);
      if (host) await deps.hypervisor.deleteVolume(host, seedVolumeName(server), { wipe: true });
    },
  })
  .step('define-domain', {
    title: 'Defining the virtual machine',
    do: async ({ params, deps }) => {
      const placed = await loadPlaced(deps.dataSource.manager, params.serverId);
      const seed = isExact(placed) ? {} : { seedVolume: seedVolumeName(placed.server) };
      await deps.hypervisor.defineDomain(placed.host, { ...domainSpec(placed), ...seed });
      return {};
    },
    undo: undefiningDomain,
  })
  .step('start-domain', startingDomain)
  .wait('agent-answers', {
    title: 'Booting, and checking its identity',
    deadlineSeconds: BOOT_DEADLINE_SECONDS,
    everySeconds: 1,
    check: async ({ params, outputs, deps }) => {
      const placed = await loadPlaced(deps.dataSource.manager, params.serverId);
      await assertStillRunning(deps, placed);
      const verifiedBy = await verificationOfClone(deps, placed, outputs['start-domain'].startedAt);
      return verifiedBy && { verifiedBy };
    },
    noUndo: 'only looks',
  })
  .step('erase-seed', erasingSeed)
  .step('publish-access', openingPorts)
  .wait('power-as-asked', leavingPowerAsOrdered)
  .step('confirm-hold', confirmingHold)
  .pointOfNoReturn('the clone works and its payment stands', 'take_back')
  .step('capture-payment', capturingPayment)
  .step('hand-over', handingOver)
  .build();

const isExact = ({ server }: Pick<PlacedServer, 'server'>) => server.cloneKind === 'exact';

/** Undefined as long as it is being frozen. @throws PermanentError with what kept it from that */
async function frozenDisk(
  manager: EntityManager,
  { dataSource }: WorkflowDeps,
  { serverId, freezeSagaId }: { readonly serverId: number; readonly freezeSagaId: number },
): Promise<{ readonly volumeName: string } | undefined> {
  const { copiedDiskId } = await lockServer(manager, serverId);
  // Before the disk: whoever has ended has written down what was frozen.
  const freezing = await new SagaStore(dataSource).find(freezeSagaId, manager);
  const disk = await manager.getRepository(FrozenDisk).findOneBy({ id: copiedDiskId ?? Number.NaN });
  if (disk) return { volumeName: disk.volumeName };
  if (freezing?.finishedAt === null) return undefined;
  throw new PermanentError(
    freezing?.error?.code ?? 'original_gone',
    freezing?.error?.message ?? 'the disk that was to be copied is not there any more',
  );
}

/**
 * A guest on a network answers with the SSH host key that we made; where its owner has SSH answer elsewhere, its agent
 * shows that key once it has booted. On no network, that its agent answers is all that it can show, and that it runs
 * where its owner brought it along without one.
 */
async function verificationOfClone(
  deps: WorkflowDeps,
  placed: PlacedServer,
  startedAt: string,
): Promise<Verification | undefined> {
  const { host, server, image } = placed;
  const hasAgent = await deps.hypervisor.agentPing(host, server.domainUuid);
  if (server.network === 'closed') {
    if (hasAgent) return 'identity';
    return image.appliance.isForeign === true ? 'running' : undefined;
  }
  if (image.verification !== 'identity') return verificationOf(deps, placed, startedAt);
  const isItself = (await answersAsItself(deps, placed)) || (hasAgent && (await showsItsKey(deps, placed)));
  return isItself ? 'identity' : undefined;
}

/** Whether the agent of a guest that has booted shows the SSH host key that we made. */
async function showsItsKey({ hypervisor }: WorkflowDeps, { host, server }: PlacedServer): Promise<boolean> {
  const run = (...argv: [string, ...string[]]) =>
    hypervisor.agentExec(host, server.domainUuid, argv, { timeoutSeconds: LOOK_TIMEOUT_SECONDS });
  try {
    const key = await run('/bin/cat', HOST_KEY_FILE);
    if (key.stdout.trim().split(/\s+/).slice(0, 2).join(' ') !== server.hostKey) return false;
    return (await run('/bin/systemctl', 'is-active', '--quiet', 'multi-user.target')).exitCode === 0;
  } catch (error) {
    if (isHypervisorError(error, 'agent_not_answering', 'agent_refused')) return false;
    throw error;
  }
}
