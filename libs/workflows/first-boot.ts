import type { EntityManager } from 'typeorm';
import { generateSshKeyPair } from '#libs/accounts';
import { runStatements } from '#libs/database';
import { isHypervisorError, type SeedDetachment } from '#libs/hypervisor';
import type { Image } from '#libs/images';
import { PermanentError } from '#libs/saga';
import { cryptHash } from '#libs/secrets';
import { newPassword, type PasswordDelivery, type Server, seedVolumeName } from '#libs/servers';
import { type DiskOrigin, plainSeedFiles, seedSpecOf } from './seed-spec.ts';
import type { PlacedServer } from './server-context.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

/** Longer than a slow disk takes for what a first boot writes. */
const FLUSH_SECONDS = 120;

/**
 * Makes a server's SSH host key, so that the worker can know the guest by it and its owner need not trust the first
 * answer. The private half is kept, sealed, until the guest has it. Returns `ssh-ed25519 AAAA…`.
 */
export async function makeHostKey(
  manager: EntityManager,
  { secrets }: WorkflowDeps,
  serverId: number,
): Promise<string> {
  const { publicKey, privateKey } = generateSshKeyPair();
  await secrets.put(manager, serverId, 'host_key', privateKey);
  return publicKey;
}

/**
 * Makes the secrets that an image's application wants of each server. Only what comes fresh from its golden image takes
 * them: a disk that has run has its own.
 */
export async function makeApplicationSecrets(
  manager: EntityManager,
  { secrets }: WorkflowDeps,
  serverId: number,
  image: Image,
): Promise<void> {
  const wanted = originOf(image) === 'golden' ? (image.appliance.secrets ?? []) : [];
  if (wanted.length === 0) return;
  const made = Object.fromEntries(wanted.map(({ name }) => [name, newPassword()]));
  await secrets.put(manager, serverId, 'pending_application', JSON.stringify(made));
}

/** Writes the seed of a server's next first boot on its host. @throws PermanentError `host_key_missing` */
export async function writeSeed(deps: WorkflowDeps, placed: PlacedServer): Promise<void> {
  const { manager } = deps.dataSource;
  const { server, host, address, image } = placed;
  const hostKey = await deps.secrets.read(manager, server.id, 'host_key');
  if (hostKey === undefined) throw new PermanentError('host_key_missing', 'the host key is gone');
  const password = await deps.secrets.read(manager, server.id, 'pending_password');
  const userData = await deps.secrets.read(manager, server.id, 'user_data');
  const application = await deps.secrets.read(manager, server.id, 'pending_application');
  const secrets = {
    hostKey,
    ...(password !== undefined && { passwordHash: await cryptHash(password) }),
    ...(userData !== undefined && { userData }),
    ...(application !== undefined && { application: JSON.parse(application) }),
  };
  const files = image.appliance.isForeign && { files: plainSeedFiles(server, address, secrets) };
  const seed = seedSpecOf(server, address, secrets, originOf(image));
  await deps.hypervisor.createSeed(host, { ...seed, ...files });
}

function originOf(image: Image): DiskOrigin {
  return image.frozenDiskId === null && image.importReport === null ? 'golden' : 'used';
}

/**
 * Takes the seed of a first boot that is over from its guest, and erases it. Before that, what the guest made of it is
 * written to its disk: Linux keeps it in memory for half a minute (vm.dirty_expire_centisecs), a guest whose power is cut by
 * then would be without network for ever, and there would be nothing to read it from again.
 */
export async function eraseSeed({ hypervisor }: WorkflowDeps, placed: PlacedServer): Promise<SeedDetachment> {
  const { server, host } = placed;
  const flushed = hypervisor.agentExec(host, server.domainUuid, ['/bin/sync'], {
    timeoutSeconds: FLUSH_SECONDS,
  });
  await flushed.catch((error: unknown) => {
    // One without an agent, or that has gone down by itself, is left to itself.
    if (!isHypervisorError(error, 'agent_not_answering', 'agent_refused', 'domain_not_running')) throw error;
  });
  return hypervisor.detachSeed(host, server.domainUuid, seedVolumeName(server));
}

/** The guest has taken the secrets of its application: from now on they wait for its owner, and no others do. */
export async function settleApplicationSecrets(
  manager: EntityManager,
  { secrets }: WorkflowDeps,
  serverId: number,
): Promise<void> {
  const taken = await secrets.read(manager, serverId, 'pending_application');
  await secrets.destroy(manager, serverId, 'application');
  if (taken !== undefined) await secrets.put(manager, serverId, 'application', taken);
}

/** The guest has taken the password that was made for it, if any: its owner gets that one, as was told, and no other. */
export async function settlePassword(
  manager: EntityManager,
  { secrets }: WorkflowDeps,
  serverId: number,
  delivery: PasswordDelivery,
): Promise<void> {
  const taken = await secrets.read(manager, serverId, 'pending_password');
  await secrets.destroy(manager, serverId, 'root_password');
  if (taken !== undefined) await runStatements(manager, secrets.handingOver(serverId, taken, delivery));
}

/** Secrets that have no use once a guest has booted and been verified. */
export function forgetBootSecrets(manager: EntityManager, deps: WorkflowDeps, server: Pick<Server, 'id'>) {
  return deps.secrets.destroy(
    manager,
    server.id,
    'host_key',
    'pending_password',
    'pending_application',
    'user_data',
  );
}
