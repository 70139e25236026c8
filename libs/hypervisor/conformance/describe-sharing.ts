import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ConformanceContext, planServer } from './conformance-context.ts';
import { refusedAs } from './refused-as.ts';

/** The part of the suite about hosts that show one and the same storage. */
export function describeSharing(context: () => ConformanceContext): void {
  describe('two hosts with one disk pool', () => {
    marks(context);
    layers(context);
  });
}

function marks(context: () => ConformanceContext): void {
  it('see the marks of each other, which are no volumes, and a third host sees none', async () => {
    const { hypervisor, host, sharing } = context();
    const [one, other] = sharing;
    const marksOn = async (ref: typeof host) => (await hypervisor.inspectStorage(ref)).marks;
    for (let times = 0; times < 2; times += 1) await hypervisor.markStorage(one, 'a-mark-1');
    await hypervisor.markStorage(other, 'a-mark-2');
    for (const ref of sharing) {
      expect((await marksOn(ref)).toSorted()).toEqual(['a-mark-1', 'a-mark-2']);
      expect(await hypervisor.listVolumes(ref, 'disks')).toEqual([]);
    }
    expect(await marksOn(host)).toEqual([]);
    for (let times = 0; times < 2; times += 1) await hypervisor.unmarkStorage(other, 'a-mark-1');
    await hypervisor.unmarkStorage(one, 'a-mark-2');
    for (const ref of sharing) expect(await marksOn(ref)).toEqual([]);
  });

  it('tell at which paths their pools lie', async () => {
    const { hypervisor, sharing } = context();
    const [one, other] = await Promise.all(sharing.map((ref) => hypervisor.inspectStorage(ref)));
    expect(one?.diskPoolPath).toMatch(/^\/./);
    expect(one?.imagePoolPath).toMatch(/^\/./);
    expect(other).toEqual(one);
  });

  it.each(['', '-rf', '../x', 'a b', 'a.b', 'x'.repeat(81)])('refuse the mark %j', async (mark) => {
    const { hypervisor, sharing } = context();
    const refused = refusedAs('invalid_spec');
    await expect(hypervisor.markStorage(sharing[0], mark)).rejects.toEqual(refused);
    await expect(hypervisor.unmarkStorage(sharing[0], mark)).rejects.toEqual(refused);
  });
}

function layers(context: () => ConformanceContext): void {
  beforeAll(() => context().hypervisor.importImage(context().sharing[0], context().image));
  afterAll(async () => {
    const { hypervisor, sharing, image } = context();
    for (const ref of sharing) await hypervisor.deleteImage(ref, image.volumeName);
  });

  it('stand on what the other has frozen, where they have the image beneath it', async () => {
    const { hypervisor, image, sharing } = context();
    const [one, other] = sharing;
    const [plan, copy] = [planServer(context()), planServer(context())];
    const { seedVolume: _seed, ...original } = plan.domain;
    const [frozenVolume, nextVolume] = [original.diskVolume, `next-${original.diskVolume}`];
    await hypervisor.createOverlay(one, plan.overlay);
    await hypervisor.defineDomain(one, original);
    await hypervisor.freezeDisk(one, original.uuid, { frozenVolume, nextVolume });
    await hypervisor.defineDomain(one, { ...original, diskVolume: nextVolume });

    const { seedVolume: _none, ...domain } = copy.domain;
    const lay = () => hypervisor.createOverlay(other, { ...copy.overlay, base: { frozen: frozenVolume } });
    await expect(lay()).rejects.toEqual(refusedAs('volume_missing'));
    await hypervisor.importImage(other, image);
    await lay();
    await hypervisor.defineDomain(other, domain);
    await hypervisor.startDomain(other, domain.uuid, { paused: true });

    await hypervisor.undefineDomain(one, original.uuid);
    await hypervisor.deleteVolume(one, nextVolume);
    await expect(hypervisor.deleteVolume(one, frozenVolume)).rejects.toEqual(refusedAs('volume_in_use'));
    await hypervisor.undefineDomain(other, domain.uuid);
    await hypervisor.deleteVolume(other, domain.diskVolume);
    await hypervisor.deleteVolume(one, frozenVolume);
    await hypervisor.deleteVolume(other, frozenVolume);
    for (const ref of sharing) expect(await hypervisor.listVolumes(ref, 'disks')).toEqual([]);
  });
}
