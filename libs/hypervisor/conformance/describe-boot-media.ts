import { afterEach, describe, expect, it } from 'vitest';
import { gibToBytes, newUuid, sleep } from '#libs/kernel';
import type { DomainSpec } from '../port/domains.ts';
import { type ConformanceContext, ISO_TEXT, planServer, type ServerPlan } from './conformance-context.ts';
import { refusedAs } from './refused-as.ts';

const PAUSE_MS = 250;
/** More than a boot loader reads, less than the kernel that it loads. */
const MEBIBYTE = 1024 * 1024;
const SECTOR_BYTES = 512;

/** The part of the suite about what domains start from beside their own disk. */
export function describeBootMedia(context: () => ConformanceContext): void {
  describe('a rescue system', () => rescue(context));
  describe('an ISO image', () => isos(context));
}

function rescue(context: () => ConformanceContext): void {
  const { define, start, run, volumesOf } = bench(context);

  it('is what a domain starts from, which keeps its own disk; without it, it starts from that again', async () => {
    const { hypervisor, host } = context();
    const own = await define();
    const other = planServer(context());
    const rescue = { diskVolume: `rescue-${other.overlay.volumeName}`, seedVolume: other.seed.volumeName };
    await hypervisor.createOverlay(host, { ...other.overlay, volumeName: rescue.diskVolume, sizeGib: 2 });
    await hypervisor.createSeed(host, other.seed);
    const { seedVolume = '', ...seedless } = own.domain;
    const rescued: DomainSpec = { ...seedless, rescue };
    for (const _twice of [1, 2]) await hypervisor.defineDomain(host, rescued);
    expect(await volumesOf(own)).toEqual(
      [own.domain.diskVolume, rescue.diskVolume, rescue.seedVolume].sort(),
    );
    await start(own);
    expect(await run(own, '/bin/hostname')).toBe(`${other.hostname}\n`);
    const ownSectors = `${gibToBytes(own.overlay.sizeGib) / SECTOR_BYTES}\n`;
    expect(await run(own, '/bin/cat', '/sys/block/vda/size')).toBe(ownSectors);
    expect(await hypervisor.diskReadBytes(host, own.domain.uuid)).toBeLessThan(MEBIBYTE);
    await expect(hypervisor.deleteVolume(host, rescue.diskVolume)).rejects.toEqual(
      refusedAs('volume_in_use'),
    );
    expect(await hypervisor.detachSeed(host, own.domain.uuid, rescue.seedVolume)).toBe('released');
    expect(await volumesOf(own)).toEqual([own.domain.diskVolume, rescue.diskVolume].sort());

    await hypervisor.destroyDomain(host, own.domain.uuid);
    await hypervisor.defineDomain(host, { ...seedless, seedVolume });
    await hypervisor.deleteVolume(host, rescue.diskVolume);
    await start(own);
    expect(await run(own, '/bin/hostname')).toBe(`${own.hostname}\n`);
    expect(await hypervisor.diskReadBytes(host, own.domain.uuid)).toBeGreaterThan(MEBIBYTE);
  });
}

function isos(context: () => ConformanceContext): void {
  const { define, start, run, volumesOf } = bench(context);

  it('is seen by a running guest, which cannot write it, and does not keep one from booting', async () => {
    const { hypervisor, host, isoImage } = context();
    await hypervisor.importImage(host, isoImage);
    const { volumeName: iso } = isoImage;
    const plan = await define();
    const { uuid } = plan.domain;
    await start(plan);
    for (const _twice of [1, 2]) await hypervisor.insertIso(host, uuid, iso);
    const sectors = () => run(plan, '/bin/cat', '/sys/block/sr0/size').catch(() => '');
    await within(context().bootSeconds, 'the disc', async () => Number(await sectors()) > 0);
    expect(await run(plan, '/bin/dd', 'if=/dev/sr0', 'bs=2048', 'count=1')).toBe(ISO_TEXT);
    await expect(run(plan, '/bin/dd', 'of=/dev/sr0', 'bs=2048', 'count=1')).rejects.toThrow();
    expect(await volumesOf(plan)).toEqual([plan.domain.diskVolume, plan.seed.volumeName].sort());
    await hypervisor.defineDomain(host, { ...plan.domain, iso });
    await hypervisor.destroyDomain(host, uuid);
    await start(plan);
    expect(Number(await sectors()) * SECTOR_BYTES).toBe(isoImage.virtualSizeBytes);
    for (const _twice of [1, 2]) await hypervisor.ejectIso(host, uuid);
    await within(context().bootSeconds, 'an empty drive', async () => (await sectors()) === '');
    await hypervisor.destroyDomain(host, uuid);
    await start(plan);
    expect(await sectors()).toBe('');
  });

  it('is one at a time, whole on its host, and of a domain that is there', async () => {
    const { hypervisor, host, image, isoImage } = context();
    await hypervisor.importImage(host, isoImage);
    const { uuid } = (await define()).domain;
    await hypervisor.insertIso(host, uuid, isoImage.volumeName);
    const insert = (to: string, name: string) => hypervisor.insertIso(host, to, name);
    await expect(insert(uuid, image.volumeName)).rejects.toEqual(refusedAs('volume_in_use'));
    await expect(insert(uuid, 'not-there')).rejects.toEqual(refusedAs('image_missing'));
    await expect(insert(newUuid(), isoImage.volumeName)).rejects.toEqual(refusedAs('domain_missing'));
    await hypervisor.ejectIso(host, newUuid());
  });
}

/** Domains of one test, which are gone after it with all that it made. */
function bench(context: () => ConformanceContext) {
  let plans: ServerPlan[] = [];
  afterEach(async () => {
    const { hypervisor, host } = context();
    for (const { domain } of plans) await hypervisor.undefineDomain(host, domain.uuid);
    for (const { name } of await hypervisor.listVolumes(host, 'disks'))
      await hypervisor.deleteVolume(host, name);
    await hypervisor.deleteImage(host, context().isoImage.volumeName);
    plans = [];
  });
  const define = async () => {
    const { hypervisor, host } = context();
    const plan = planServer(context());
    plans.push(plan);
    await hypervisor.createOverlay(host, plan.overlay);
    await hypervisor.createSeed(host, plan.seed);
    await hypervisor.defineDomain(host, plan.domain);
    return plan;
  };
  const start = async ({ domain }: ServerPlan) => {
    const { hypervisor, host, bootSeconds } = context();
    await hypervisor.startDomain(host, domain.uuid);
    await within(bootSeconds, 'the agent', () => hypervisor.agentPing(host, domain.uuid));
  };
  const run = async ({ domain }: ServerPlan, ...argv: [string, ...string[]]) => {
    const { hypervisor, host } = context();
    const answer = await hypervisor.agentExec(host, domain.uuid, argv, { timeoutSeconds: 30 });
    if (answer.exitCode !== 0) throw new Error(`${argv.join(' ')} ended with ${answer.exitCode}`);
    return answer.stdout;
  };
  const volumesOf = async ({ domain }: ServerPlan) => {
    const domains = await context().hypervisor.listDomains(context().host);
    return domains.find(({ uuid }) => uuid === domain.uuid)?.volumes.toSorted();
  };
  return { define, start, run, volumesOf };
}

async function within(seconds: number, what: string, ask: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (!(await ask())) {
    if (Date.now() > deadline) throw new Error(`waited ${seconds} s in vain for ${what}`);
    await sleep(PAUSE_MS);
  }
}
