import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { GuestFacts } from '#libs/hypervisor/simulated';
import { diskVolumeName, type Server } from '#libs/servers';
import type { ServerWorld } from './server-world.ts';

/** What is on the server's disk, on the first host of the world. */
export function guestOf({ fleet }: ServerWorld, server: Server): GuestFacts | undefined {
  const [host = ''] = fleet.hostNames();
  return fleet.volumes(host).find(({ name }) => name === diskVolumeName(server))?.guest;
}

/** As the simulated guests keep what they are given. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** What waits for its owner is what its guest has been given. @throws AssertionError */
export async function assertApplicationSecrets(world: ServerWorld, server: Server): Promise<void> {
  const { dataSource, deps } = world;
  const kept = JSON.parse((await deps.secrets.read(dataSource.manager, server.id, 'application')) ?? '{}');
  const digests = Object.entries(kept).map(([name, value]) => [
    `/etc/servery/secrets/${name}`,
    digestOf(String(value)),
  ]);
  assert.equal(digests.length, 1);
  assert.deepEqual(guestOf(world, server)?.fileDigests, Object.fromEntries(digests));
}
