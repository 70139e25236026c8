import { Iso, IsosService } from '#libs/isos';
import type { WorldAddress } from '#libs/saga/harness';
import { attachToServerWorld, createServerWorld } from './server-world.ts';
import { placedHost } from './standing-server.ts';

const SIZE_BYTES = 2048;

/** A world whose host has two ISO images. */
export async function createIsoWorld(): Promise<WorldAddress> {
  const address = await createServerWorld();
  const world = await attachToServerWorld(address);
  try {
    const { dataSource, fleet } = world;
    const isos = new IsosService(dataSource);
    const host = await placedHost(world);
    for (const [name, digit] of [
      ['netboot', 'a'],
      ['drivers', 'b'],
    ] as const) {
      const sha256 = digit.repeat(64);
      const words = { name, description: name, sha256, sizeBytes: SIZE_BYTES };
      const { id, volumeName }: Iso = await isos.register(dataSource.manager, words);
      await isos.recordOnHost(dataSource.manager, id, host.id);
      fleet.putVolume(host.name, {
        ...{ name: volumeName, pool: host.imagePool, capacityBytes: SIZE_BYTES, allocationBytes: SIZE_BYTES },
        image: { volumeName, sha256, virtualSizeBytes: SIZE_BYTES },
      });
    }
  } finally {
    await world.close();
  }
  return address;
}
