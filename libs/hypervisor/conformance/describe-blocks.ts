import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { gibToBytes, newUuid, sleep } from '#libs/kernel';
import type { DomainSpec } from '../port/domains.ts';
import { type ConformanceContext, planServer, type ServerPlan } from './conformance-context.ts';
import { refusedAs } from './refused-as.ts';

const PAUSE_MS = 250;
const SECTOR_BYTES = 512;

/** The part of the suite about disks that owners keep apart from servers. */
export function describeBlocks(context: () => ConformanceContext): void {
  describe('volumes apart from servers', () => blocks(context));
}

function blocks(context: () => ConformanceContext): void {
  let plans: ServerPlan[] = [];
  let names: string[] = [];
  const newVolume = () => {
    const volumeName = `kept-${newUuid()}.qcow2`;
    names.push(volumeName);
    return volumeName;
  };
  const define = async (spec: Partial<DomainSpec> = {}) => {
    const { hypervisor, host } = context();
    const plan = planServer(context());
    plans.push(plan);
    await hypervisor.createOverlay(host, plan.overlay);
    await hypervisor.createSeed(host, plan.seed);
    await hypervisor.defineDomain(host, { ...plan.domain, ...spec });
    return { ...plan.domain, ...spec };
  };
  const sizeOf = async (volumeName: string) => {
    const volumes = await context().hypervisor.listVolumes(context().host, 'disks');
    return volumes.find(({ name }) => name === volumeName)?.capacityBytes;
  };
  const volumesOf = async (uuid: string) => {
    const domains = await context().hypervisor.listDomains(context().host);
    return domains.find((domain) => domain.uuid === uuid)?.volumes;
  };
  afterEach(async () => {
    const { hypervisor, host } = context();
    for (const { domain } of plans) await hypervisor.undefineDomain(host, domain.uuid);
    for (const { domain, seed } of plans) {
      await hypervisor.deleteVolume(host, domain.diskVolume);
      await hypervisor.deleteVolume(host, seed.volumeName);
    }
    for (const name of names) await hypervisor.deleteVolume(host, name);
    expect(await hypervisor.listVolumes(host, 'disks')).toEqual([]);
    [plans, names] = [[], []];
  });

  it('makes volumes, empty or with a file system, and leaves them as they are when it is asked again', async () => {
    const { hypervisor, host } = context();
    for (const format of [undefined, 'ext4', 'xfs'] as const) {
      const volumeName = newVolume();
      const spec = { volumeName, sizeGib: 1, ...(format && { format }) };
      await hypervisor.createVolume(host, spec);
      await hypervisor.createVolume(host, spec);
      expect(await sizeOf(volumeName)).toBe(gibToBytes(1));
      const larger = { ...spec, sizeGib: 2 };
      await expect(hypervisor.createVolume(host, larger)).rejects.toEqual(refusedAs('volume_exists_foreign'));
      for (const _twice of [1, 2]) await hypervisor.growVolume(host, { volumeName, sizeGib: 3 });
      expect(await sizeOf(volumeName)).toBe(gibToBytes(3));
      await hypervisor.createVolume(host, spec);
      expect(await sizeOf(volumeName)).toBe(gibToBytes(3));
    }
    await expect(hypervisor.growVolume(host, { volumeName: 'not-there', sizeGib: 1 })).rejects.toEqual(
      refusedAs('volume_missing'),
    );
  });

  it('makes volumes with a file system while other volumes come and go', async () => {
    const { hypervisor, host } = context();
    let isOver = false;
    const comeAndGo = async () => {
      while (!isOver) {
        const name = newVolume();
        await hypervisor.createVolume(host, { volumeName: name, sizeGib: 1 });
        await hypervisor.deleteVolume(host, name);
      }
    };
    const others = [comeAndGo(), comeAndGo()];
    try {
      for (let made = 0; made < 4; made++) {
        const volumeName = newVolume();
        await hypervisor.createVolume(host, { volumeName, sizeGib: 1, format: 'ext4' });
        expect(await sizeOf(volumeName)).toBe(gibToBytes(1));
      }
    } finally {
      isOver = true;
      await Promise.all(others);
    }
  });

  it('brings a volume to another host with all that is in it, however often, and from there under any name', async () => {
    const { hypervisor, host, sharing } = context();
    const [other] = sharing;
    const [fromVolumeName, volumeName] = [newVolume(), newVolume()];
    await hypervisor.createVolume(host, { volumeName: fromVolumeName, sizeGib: 1, format: 'ext4' });
    await hypervisor.growVolume(host, { volumeName: fromVolumeName, sizeGib: 2 });
    const folder = await mkdtemp(join(tmpdir(), 'servery-blocks-'));
    const bytesOf = async (on: typeof host, name: string) => {
      await hypervisor.downloadVolume(on, name, join(folder, 'bytes'));
      return readFile(join(folder, 'bytes'));
    };
    const progress: number[] = [];
    const onProgress = (done: number, total: number) => progress.push(done / total);
    try {
      const bytes = await bytesOf(host, fromVolumeName);
      for (const _twice of [1, 2])
        await hypervisor.copyVolume(other, { volumeName, from: host, fromVolumeName }, { onProgress });
      expect((await bytesOf(other, volumeName)).subarray(0, bytes.length).equals(bytes)).toBe(true);
      expect(progress.at(-1)).toBe(1);
      const arrived = await hypervisor.listVolumes(other, 'disks');
      expect(arrived.map(({ name, capacityBytes }) => [name, capacityBytes])).toEqual([
        [volumeName, gibToBytes(2)],
      ]);
      const second = newVolume();
      await hypervisor.copyVolume(other, { volumeName: second, from: other, fromVolumeName: volumeName });
      expect((await bytesOf(other, second)).subarray(0, bytes.length).equals(bytes)).toBe(true);
    } finally {
      for (const name of names) await hypervisor.deleteVolume(other, name);
      await rm(folder, { recursive: true });
    }
  });

  it('does not bring what is not there, or what a domain has, and leaves nothing', async () => {
    const { hypervisor, host, sharing } = context();
    const [other] = sharing;
    const [fromVolumeName, volumeName] = [newVolume(), newVolume()];
    const missing = { volumeName, from: host, fromVolumeName: 'nonesuch' };
    await expect(hypervisor.copyVolume(other, missing)).rejects.toEqual(refusedAs('volume_missing'));
    await hypervisor.createVolume(host, { volumeName: fromVolumeName, sizeGib: 1 });
    const domain = await define();
    await hypervisor.attachVolume(host, domain.uuid, { volumeName: fromVolumeName, serial: '4711', slot: 0 });
    const had = { volumeName, from: host, fromVolumeName };
    await expect(hypervisor.copyVolume(other, had)).rejects.toEqual(refusedAs('volume_in_use'));
    for (const wrong of [
      { ...had, volumeName: '../x' },
      { ...had, fromVolumeName: '-rf' },
    ])
      await expect(hypervisor.copyVolume(other, wrong)).rejects.toEqual(refusedAs('invalid_spec'));
    expect(await hypervisor.listVolumes(other, 'disks')).toEqual([]);
  });

  it('gives a volume to one domain at a time, and keeps it there when the domain is defined anew', async () => {
    const { hypervisor, host } = context();
    const [volumeName, second] = [newVolume(), newVolume()];
    for (const name of [volumeName, second])
      await hypervisor.createVolume(host, { volumeName: name, sizeGib: 1 });
    const [one, other] = [await define(), await define()];
    const volume = { volumeName, serial: '4711', slot: 0 };
    const own = [one.diskVolume, one.seedVolume ?? ''];
    for (const _twice of [1, 2]) await hypervisor.attachVolume(host, one.uuid, volume);
    expect(await volumesOf(one.uuid)).toEqual([...own, volumeName]);
    await expect(hypervisor.attachVolume(host, other.uuid, volume)).rejects.toEqual(
      refusedAs('volume_in_use'),
    );
    await expect(hypervisor.deleteVolume(host, volumeName)).rejects.toEqual(refusedAs('volume_in_use'));
    await hypervisor.defineDomain(host, {
      ...one,
      volumes: [volume, { volumeName: second, serial: '2', slot: 1 }],
    });
    expect(await volumesOf(one.uuid)).toEqual([...own, volumeName, second]);
    for (const _twice of [1, 2]) await hypervisor.detachVolume(host, one.uuid, volumeName);
    expect(await volumesOf(one.uuid)).toEqual([...own, second]);
    await hypervisor.attachVolume(host, other.uuid, volume);
    const missing = { ...volume, volumeName: 'not-there' };
    await expect(hypervisor.attachVolume(host, one.uuid, missing)).rejects.toEqual(
      refusedAs('volume_missing'),
    );
    await expect(hypervisor.attachVolume(host, newUuid(), volume)).rejects.toEqual(
      refusedAs('domain_missing'),
    );
    await hypervisor.detachVolume(host, newUuid(), volumeName);
  });

  it('keeps what a guest writes, while it is resized, over a power cycle, and to another guest', async () => {
    const { hypervisor, host } = context();
    const volumeName = newVolume();
    const volume = { volumeName, serial: '4711', slot: 3 };
    await hypervisor.createVolume(host, { volumeName, sizeGib: 1 });
    const one = await define();
    await hypervisor.startDomain(host, one.uuid);
    await agentAnswers(one.uuid);
    for (const _twice of [1, 2]) await hypervisor.attachVolume(host, one.uuid, volume);
    await sees(one.uuid, 1);
    await write(one.uuid, 'precious');
    const memory = { frozenVolume: one.diskVolume, nextVolume: 'next', memoryVolume: 'memory' };
    await hypervisor.detachSeed(host, one.uuid, one.seedVolume ?? '');
    await expect(hypervisor.freezeDisk(host, one.uuid, memory)).rejects.toEqual(
      refusedAs('domain_has_other_disks'),
    );
    await hypervisor.deleteVolume(host, 'next');

    const writing = write(one.uuid, `precious${'\n'.repeat(100_000)}`);
    const grow = { volumeName, sizeGib: 2, domainUuid: one.uuid };
    for (const _twice of [1, 2]) await hypervisor.growVolume(host, grow);
    await writing;
    await sees(one.uuid, 2);
    expect(await sizeOf(volumeName)).toBe(gibToBytes(2));
    await hypervisor.destroyDomain(host, one.uuid);
    await hypervisor.startDomain(host, one.uuid);
    await agentAnswers(one.uuid);
    expect(await read(one.uuid)).toMatch(/^precious/);
    for (const _twice of [1, 2]) await hypervisor.detachVolume(host, one.uuid, volumeName);
    expect(await volumesOf(one.uuid)).toEqual([one.diskVolume]);
    await expect(read(one.uuid)).rejects.toThrow();
    await hypervisor.destroyDomain(host, one.uuid);

    const other = await define({ volumes: [volume] });
    await hypervisor.startDomain(host, other.uuid);
    await agentAnswers(other.uuid);
    expect(await read(other.uuid)).toMatch(/^precious/);
    await sees(other.uuid, 2);
  });

  const program = async (uuid: string, argv: [string, ...string[]], input = '') => {
    const options = { timeoutSeconds: 30, input };
    const { exitCode, stdout } = await context().hypervisor.agentExec(context().host, uuid, argv, options);
    if (exitCode !== 0) throw new Error(`${argv.join(' ')} ended with ${exitCode}`);
    return stdout;
  };
  const write = (uuid: string, text: string) =>
    program(uuid, ['/bin/dd', 'of=/dev/sda', 'bs=4096', 'conv=fsync'], text);
  const read = (uuid: string) => program(uuid, ['/bin/dd', 'if=/dev/sda', 'bs=4096', 'count=1']);
  const within = async (what: string, ask: () => Promise<boolean>) => {
    const deadline = Date.now() + context().bootSeconds * 1000;
    while (!(await ask())) {
      if (Date.now() > deadline) throw new Error(`waited in vain for: ${what}`);
      await sleep(PAUSE_MS);
    }
  };
  const agentAnswers = (uuid: string) =>
    within('agent', () => context().hypervisor.agentPing(context().host, uuid));
  const sees = (uuid: string, sizeGib: number) =>
    within(`${sizeGib} GiB`, async () => {
      const sectors = await program(uuid, ['/bin/cat', '/sys/block/sda/size']).catch(() => '0');
      return Number(sectors) * SECTOR_BYTES === gibToBytes(sizeGib);
    });
}
