import type { EntityManager } from 'typeorm';
import { generateHostKeyPair } from '#libs/accounts';
import { PermanentError } from '#libs/saga';
import { cryptHash } from '#libs/secrets';
import type { Server } from '#libs/servers';
import { plainSeedFiles, seedSpecOf } from './seed-spec.ts';
import type { PlacedServer } from './server-context.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

/**
 * Makes a server's SSH host key, so that the worker can know the guest by it and its owner need not trust the first
 * answer. The private half is kept, sealed, until the guest has it. Returns `ssh-ed25519 AAAA…`.
 */
export async function makeHostKey(
  manager: EntityManager,
  { secrets }: WorkflowDeps,
  serverId: number,
): Promise<string> {
  const { publicKey, privateKey } = generateHostKeyPair();
  await secrets.put(manager, serverId, 'host_key', privateKey);
  return publicKey;
}

/** Writes the seed of a server's next first boot on its host. @throws PermanentError `host_key_missing` */
export async function writeSeed(deps: WorkflowDeps, placed: PlacedServer): Promise<void> {
  const { manager } = deps.dataSource;
  const { server, host, address, image } = placed;
  const hostKey = await deps.secrets.read(manager, server.id, 'host_key');
  if (hostKey === undefined) throw new PermanentError('host_key_missing', 'the host key is gone');
  const password = await deps.secrets.read(manager, server.id, 'pending_password');
  const userData = await deps.secrets.read(manager, server.id, 'user_data');
  const secrets = {
    hostKey,
    ...(password !== undefined && { passwordHash: await cryptHash(password) }),
    ...(userData !== undefined && { userData }),
  };
  const files = image.appliance.isForeign && { files: plainSeedFiles(server, address, secrets) };
  const origin = image.frozenDiskId === null && image.importReport === null ? 'golden' : 'used';
  await deps.hypervisor.createSeed(host, { ...seedSpecOf(server, address, secrets, origin), ...files });
}

/** Secrets that have no use once a guest has booted and been verified. */
export function forgetBootSecrets(manager: EntityManager, deps: WorkflowDeps, server: Pick<Server, 'id'>) {
  return deps.secrets.destroy(manager, server.id, 'host_key', 'pending_password', 'user_data');
}
