import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { firstPrice } from '#libs/billing';
import { Image } from '#libs/images';
import { sandboxedTools } from '#libs/imports';
import type { WorldAddress } from '#libs/saga/harness';
import { Server } from '#libs/servers';
import { describeSaga } from '../../test/support/describe-saga.ts';
import { assertSound } from './harness/assert-sound.ts';
import { assertNoFiles, importUpload } from './harness/importing.ts';
import {
  attachToServerWorld,
  createServerWorld,
  destroyServerWorld,
  type ServerWorld,
} from './harness/server-world.ts';
import { finish, order } from './harness/standing-server.ts';
import { scenarios } from './import-image.scenario.ts';
import { workflows } from './index.ts';

const run = promisify(execFile);
const module = new URL('./import-image.scenario.ts', import.meta.url).href;
for (const scenario of scenarios) describeSaga(scenario, module);

describe('an imported image', () => {
  let address: WorldAddress;
  let world: ServerWorld;
  beforeAll(async () => {
    address = await createServerWorld();
    world = await attachToServerWorld(address);
  });
  afterAll(async () => {
    await world.close();
    await destroyServerWorld(address);
  });

  it('is made by the real tools of a real disk, billed as a snapshot, and what servers are ordered of', async () => {
    const path = `${address.folder}-disk.vmdk`;
    await run('qemu-img', ['create', '-q', '-f', 'vmdk', '-o', 'subformat=streamOptimized', path, '3G']);
    const deps = { ...world.deps, imports: { ...world.deps.imports, tools: sandboxedTools } };
    const real = { ...world, deps, sagas: workflows(deps) };
    await firstPrice(world.dataSource.manager, {
      item: 'snapshot/gib',
      title: 'Snapshot',
      hourlyMicro: 1000,
    });
    const { image, action } = await importUpload(real, {
      format: 'vmdk',
      bytes: await readFile(path),
    });
    await rm(path);
    await finish(real, action);
    const made = await world.dataSource.getRepository(Image).findOneByOrFail({ id: image.id });
    expect(made).toMatchObject({
      status: 'available',
      virtualSizeBytes: 3 * 1024 ** 3,
      importReport: { format: 'vmdk', diskCount: 1 },
    });
    await assertNoFiles(world);
    const spans = await world.dataSource.query(
      `SELECT component, quantity FROM usage_spans WHERE server_id = $1 AND closed_at IS NULL`,
      [image.id],
    );
    expect(spans).toEqual([{ component: 'snapshot', quantity: 1 }]);
    const placed = await order(world, made);
    await finish(world, placed.action);
    const server = await world.dataSource.getRepository(Server).findOneByOrFail({ imageId: image.id });
    expect(server.observed).toBe('running');
    await assertSound(world);
  });
});
