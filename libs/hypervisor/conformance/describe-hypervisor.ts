import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { newUuid, sleep } from '#libs/kernel';
import type { ConformanceContext, ServerPlan } from './conformance-context.ts';
import { planServer } from './conformance-context.ts';
import { describeBlocks } from './describe-blocks.ts';
import { describeBootMedia } from './describe-boot-media.ts';
import { describeConsoles } from './describe-consoles.ts';
import { describeCopies } from './describe-copies.ts';
import { describeGuests } from './describe-guests.ts';
import { describeSharing } from './describe-sharing.ts';
import { refusedAs } from './refused-as.ts';

/** The suite which every driver of the port passes. `open` is called once; what it opened, `close` closes. */
export function describeHypervisor(
  name: string,
  open: () => Promise<ConformanceContext>,
  close: () => Promise<void> = async () => undefined,
): void {
  describe(name, () => {
    let context: ConformanceContext;
    beforeAll(async () => {
      context = await open();
    });
    afterAll(close);
    describeHosts(() => context);
    describeImages(() => context);
    describe('with an image', () => {
      beforeAll(() => context.hypervisor.importImage(context.host, context.image));
      describeVolumes(() => context);
      describeCopies(() => context);
      describeBlocks(() => context);
      describeBootMedia(() => context);
      describeDomains(() => context);
      describeConsoles(() => context);
      describeGuests(() => context);
      describeSharing(() => context);
    });
  });
}

/** Each call twice: the second must end as the first did. */
async function twice(call: () => Promise<unknown>): Promise<void> {
  await call();
  await call();
}

function describeHosts(context: () => ConformanceContext): void {
  it('tells what a host is', async () => {
    const { hypervisor, host } = context();
    const facts = await hypervisor.inspectHost(host);
    expect(facts.vcpus).toBeGreaterThanOrEqual(1);
    expect(facts.memoryMib).toBeGreaterThan(256);
    expect(facts.firmwares).toContain('bios');
    expect(facts.hostUuid).toMatch(/^[0-9a-f-]{36}$/);
    expect(facts.imagePool).toMatchObject({ name: host.imagePool, capacityBytes: expect.any(Number) });
    expect(facts.diskPool.freeBytes).toBeLessThanOrEqual(facts.diskPool.capacityBytes);
  });

  it('finds out how a host runs guests, and leaves nothing there', async () => {
    const { hypervisor, host } = context();
    const { domainType, reason } = await hypervisor.probeAcceleration(host);
    expect(['kvm', 'qemu']).toContain(domainType);
    expect(reason).not.toBe('');
    expect(await hypervisor.listDomains(host)).toEqual([]);
    expect(await hypervisor.listVolumes(host, 'disks')).toEqual([]);
  });

  it('says so when a host does not answer, in every method', async () => {
    const { hypervisor, deadHost } = context();
    const plan = planServer(context());
    const { uuid } = plan.domain;
    const calls: Promise<unknown>[] = [
      hypervisor.inspectHost(deadHost),
      hypervisor.inspectStorage(deadHost),
      hypervisor.markStorage(deadHost, 'x'),
      hypervisor.unmarkStorage(deadHost, 'x'),
      hypervisor.importImage(deadHost, context().image),
      hypervisor.listImages(deadHost),
      hypervisor.deleteImage(deadHost, 'x'),
      hypervisor.downloadImage(deadHost, 'x', '/nonexistent/x'),
      hypervisor.createOverlay(deadHost, plan.overlay),
      hypervisor.createSeed(deadHost, plan.seed),
      hypervisor.deleteVolume(deadHost, 'x'),
      hypervisor.listVolumes(deadHost, 'disks'),
      hypervisor.createVolume(deadHost, { volumeName: 'x', sizeGib: 1 }),
      hypervisor.attachVolume(deadHost, uuid, { volumeName: 'x', serial: '1', slot: 0 }),
      hypervisor.detachVolume(deadHost, uuid, 'x'),
      hypervisor.insertIso(deadHost, uuid, 'x'),
      hypervisor.ejectIso(deadHost, uuid),
      hypervisor.growVolume(deadHost, { volumeName: 'x', sizeGib: 2 }),
      hypervisor.flattenVolume(deadHost, { volumeName: 'y', fromVolumeName: 'x', format: 'qcow2' }),
      hypervisor.downloadVolume(deadHost, 'x', '/nonexistent/x'),
      hypervisor.copyVolume(deadHost, { volumeName: 'y', from: deadHost, fromVolumeName: 'x' }),
      hypervisor.defineDomain(deadHost, plan.domain),
      hypervisor.undefineDomain(deadHost, uuid),
      hypervisor.domainState(deadHost, uuid),
      hypervisor.listDomains(deadHost),
      hypervisor.startDomain(deadHost, uuid),
      hypervisor.destroyDomain(deadHost, uuid),
      hypervisor.setNetwork(deadHost, uuid, 'closed'),
      hypervisor.freezeDisk(deadHost, uuid, { frozenVolume: 'x', nextVolume: 'y' }),
      hypervisor.resumeDomain(deadHost, uuid, { memoryVolume: 'x', diskVolume: 'y' }),
      hypervisor.mergeLayers(deadHost, uuid),
      hypervisor.openConsole(deadHost, uuid, 'serial'),
      hypervisor.detachSeed(deadHost, uuid, 'x'),
      hypervisor.agentPing(deadHost, uuid),
    ];
    for (const outcome of await Promise.allSettled(calls)) {
      expect(outcome).toEqual({ status: 'rejected', reason: refusedAs('host_unreachable') });
      expect(outcome).toHaveProperty('reason.retryable', true);
    }
  });
}

function describeImages(context: () => ConformanceContext): void {
  it('refuses a file that is not what it promises, and leaves nothing', async () => {
    const { hypervisor, host, image } = context();
    const volumeName = 'wrong-image';
    const wrong = { ...image, volumeName, sha256: '0'.repeat(64) };
    await expect(hypervisor.importImage(host, wrong)).rejects.toEqual(refusedAs('image_corrupt'));
    const gone = { ...image, volumeName, path: '/nonexistent/image' };
    await expect(hypervisor.importImage(host, gone)).rejects.toEqual(refusedAs('image_missing'));
    expect(await hypervisor.listImages(host)).not.toContainEqual(expect.objectContaining({ volumeName }));
    expect(await hypervisor.listVolumes(host, 'images')).not.toContainEqual(
      expect.objectContaining({ name: volumeName }),
    );
  });

  it('imports an image once, however often and many at once it is asked', async () => {
    const { hypervisor, host, image } = context();
    const progress: number[] = [];
    const first = hypervisor.importImage(host, image, (sent, total) => progress.push(sent / total));
    await Promise.all([first, hypervisor.importImage(host, image)]);
    await hypervisor.importImage(host, image);
    const { volumeName, sha256, virtualSizeBytes } = image;
    expect(await hypervisor.listImages(host)).toEqual([{ volumeName, sha256, virtualSizeBytes }]);
    expect((await hypervisor.listVolumes(host, 'images')).map((volume) => volume.name)).toEqual([volumeName]);
    expect(progress.at(-1)).toBe(1);
  });

  it('refuses another image under the same name', async () => {
    const { hypervisor, host, image } = context();
    const other = { ...image, sha256: 'f'.repeat(64) };
    await expect(hypervisor.importImage(host, other)).rejects.toEqual(refusedAs('volume_exists_foreign'));
    expect(await hypervisor.listImages(host)).toHaveLength(1);
  });

  it('keeps an image while a disk stands on it, and deletes it after', async () => {
    const { hypervisor, host, image } = context();
    const short = { ...image, volumeName: 'short-lived' };
    await hypervisor.importImage(host, short);
    const overlay = { volumeName: 'stands-on-it', base: { image: 'short-lived' }, sizeGib: 1 };
    await hypervisor.createOverlay(host, overlay);
    await expect(hypervisor.deleteImage(host, 'short-lived')).rejects.toEqual(refusedAs('image_in_use'));
    await hypervisor.deleteVolume(host, 'stands-on-it');
    await twice(() => hypervisor.deleteImage(host, 'short-lived'));
    expect(await hypervisor.listImages(host)).toHaveLength(1);
    await expect(hypervisor.createOverlay(host, overlay)).rejects.toEqual(refusedAs('image_missing'));
  });
}

function describeVolumes(context: () => ConformanceContext): void {
  const disks = async () =>
    (await context().hypervisor.listVolumes(context().host, 'disks')).map(({ name }) => name);

  it('makes an overlay once, even by two at once, and refuses its name for anything else', async () => {
    const { hypervisor, host } = context();
    const { overlay } = planServer(context());
    await Promise.all([hypervisor.createOverlay(host, overlay), hypervisor.createOverlay(host, overlay)]);
    await hypervisor.createOverlay(host, overlay);
    const other = { ...overlay, sizeGib: 2 };
    await expect(hypervisor.createOverlay(host, other)).rejects.toEqual(refusedAs('volume_exists_foreign'));
    expect(await hypervisor.listVolumes(host, 'disks')).toEqual([
      { name: overlay.volumeName, capacityBytes: 1024 ** 3, allocationBytes: expect.any(Number) },
    ]);
    await twice(() => hypervisor.deleteVolume(host, overlay.volumeName));
    expect(await disks()).toEqual([]);
  });

  it('refuses a disk smaller than its image', async () => {
    const { hypervisor, host, largeImage } = context();
    await hypervisor.importImage(host, largeImage);
    const { overlay } = planServer(context());
    const small = { ...overlay, base: { image: largeImage.volumeName } };
    await expect(hypervisor.createOverlay(host, small)).rejects.toMatchObject({
      code: 'disk_too_small',
      retryable: false,
      fields: [{ name: 'sizeGib' }],
    });
    await expect(hypervisor.createOverlay(host, { ...overlay, sizeGib: 0 })).rejects.toEqual(
      refusedAs('invalid_spec'),
    );
    await hypervisor.deleteImage(host, largeImage.volumeName);
    expect(await disks()).toEqual([]);
  });

  it('grows a disk above what it stands on, and never shrinks it', async () => {
    const { hypervisor, host } = context();
    const { overlay } = planServer(context());
    const { volumeName } = overlay;
    const sizeGib = async () => {
      const disk = (await hypervisor.listVolumes(host, 'disks')).find(({ name }) => name === volumeName);
      return (disk?.capacityBytes ?? 0) / 1024 ** 3;
    };
    const missing = refusedAs('volume_missing');
    await expect(hypervisor.growVolume(host, { volumeName, sizeGib: 2 })).rejects.toEqual(missing);
    await hypervisor.createOverlay(host, overlay);
    await twice(() => hypervisor.growVolume(host, { volumeName, sizeGib: 3 }));
    expect(await sizeGib()).toBe(3);
    await hypervisor.growVolume(host, { volumeName, sizeGib: 2 });
    expect(await sizeGib()).toBe(3);
    await expect(hypervisor.growVolume(host, { volumeName, sizeGib: 0 })).rejects.toEqual(
      refusedAs('invalid_spec'),
    );
    await hypervisor.deleteVolume(host, volumeName);
  });

  it('writes a seed again and again, and deletes it erased', async () => {
    const { hypervisor, host } = context();
    const { seed } = planServer(context());
    await twice(() => hypervisor.createSeed(host, seed));
    await hypervisor.createSeed(host, { ...seed, userData: { long: 'x'.repeat(900_000) } });
    expect(await disks()).toEqual([seed.volumeName]);
    await twice(() => hypervisor.deleteVolume(host, seed.volumeName, { wipe: true }));
    expect(await disks()).toEqual([]);
  });

  it.each(['', '-rf', '../etc/passwd', 'a b', 'a;b', "a'b", 'a\nb', '.hidden', 'x'.repeat(300)])(
    'refuses the volume name %j',
    async (volumeName) => {
      const { hypervisor, host } = context();
      const { overlay, seed } = planServer(context());
      const refused = refusedAs('invalid_spec');
      await expect(hypervisor.createOverlay(host, { ...overlay, volumeName })).rejects.toEqual(refused);
      await expect(hypervisor.createSeed(host, { ...seed, volumeName })).rejects.toEqual(refused);
      await expect(hypervisor.deleteVolume(host, volumeName)).rejects.toEqual(refused);
      expect(await disks()).toEqual([]);
    },
  );
}

function describeDomains(context: () => ConformanceContext): void {
  let plan: ServerPlan;
  const prepare = async () => {
    const { hypervisor, host } = context();
    plan = planServer(context());
    await hypervisor.createOverlay(host, plan.overlay);
    await hypervisor.createSeed(host, plan.seed);
  };
  afterEach(async () => {
    if (!plan) return;
    const { hypervisor, stranger, host } = context();
    for (const domain of await hypervisor.listDomains(host)) {
      await (domain.ours ? hypervisor : stranger).undefineDomain(host, domain.uuid);
    }
    await hypervisor.deleteVolume(host, plan.domain.diskVolume);
    await hypervisor.deleteVolume(host, plan.seed.volumeName);
  });

  it('defines, lists and undefines, each twice', async () => {
    const { hypervisor, host } = context();
    await prepare();
    const { uuid, name, serverId } = plan.domain;
    expect(await hypervisor.domainState(host, uuid)).toBe('absent');
    await twice(() => hypervisor.defineDomain(host, plan.domain));
    expect(await hypervisor.domainState(host, uuid)).toBe('off');
    const volumes = [plan.domain.diskVolume, plan.seed.volumeName];
    expect(await hypervisor.listDomains(host)).toEqual([
      {
        uuid,
        name,
        state: 'off',
        wasCutOff: expect.any(Boolean),
        ours: true,
        owner: { serverId, installationId: expect.any(String) },
        volumes,
        network: 'open',
        addresses: [plan.domain.ipv4],
      },
    ]);
    await expect(hypervisor.deleteVolume(host, plan.domain.diskVolume)).rejects.toEqual(
      refusedAs('volume_in_use'),
    );
    await twice(() => hypervisor.undefineDomain(host, uuid));
    expect(await hypervisor.domainState(host, uuid)).toBe('absent');
  });

  it('defines what starts in other ways, and takes all of it away', async () => {
    const { hypervisor, host } = context();
    await prepare();
    const { firmwares } = await hypervisor.inspectHost(host);
    for (const firmware of firmwares) {
      for (const diskBus of ['sata', 'ide'] as const) {
        const spec = { ...plan.domain, firmware, diskBus, nicModel: 'e1000e' } as const;
        await twice(() => hypervisor.defineDomain(host, spec));
        expect(await hypervisor.listDomains(host)).toMatchObject([{ state: 'off', network: 'open' }]);
        await twice(() => hypervisor.undefineDomain(host, spec.uuid));
      }
    }
    expect(await hypervisor.listDomains(host)).toEqual([]);
  });

  it('lets two define the same domain at once', async () => {
    const { hypervisor, host } = context();
    await prepare();
    await Promise.all([
      hypervisor.defineDomain(host, plan.domain),
      hypervisor.defineDomain(host, plan.domain),
    ]);
    expect(await hypervisor.listDomains(host)).toHaveLength(1);
  });

  it('leaves a domain that is not ours alone', async () => {
    const { hypervisor, stranger, host } = context();
    await prepare();
    const { uuid } = plan.domain;
    await stranger.defineDomain(host, plan.domain);
    const foreign = refusedAs('domain_exists_foreign');
    await expect(hypervisor.defineDomain(host, plan.domain)).rejects.toEqual(foreign);
    await expect(hypervisor.defineDomain(host, { ...plan.domain, uuid: newUuid() })).rejects.toEqual(foreign);
    for (const call of [
      'undefineDomain',
      'destroyDomain',
      'startDomain',
      'shutdownDomain',
      'resetDomain',
    ] as const) {
      await expect(hypervisor[call](host, uuid)).rejects.toEqual(foreign);
    }
    await expect(hypervisor.setNetwork(host, uuid, 'closed')).rejects.toEqual(foreign);
    await expect(hypervisor.detachSeed(host, uuid, plan.seed.volumeName)).rejects.toEqual(foreign);
    expect(await hypervisor.listDomains(host)).toMatchObject([{ uuid, ours: false, state: 'off' }]);
    expect(await stranger.listDomains(host)).toMatchObject([{ uuid, ours: true }]);
  });

  it('leaves another server of ours alone under the same UUID', async () => {
    const { hypervisor, host } = context();
    await prepare();
    await hypervisor.defineDomain(host, plan.domain);
    const other = { ...plan.domain, serverId: plan.domain.serverId + 1 };
    await expect(hypervisor.defineDomain(host, other)).rejects.toEqual(refusedAs('domain_exists_foreign'));
  });

  it('refuses a domain whose disk is not there, and one that makes no sense', async () => {
    const { hypervisor, host } = context();
    await prepare();
    const missing = { ...plan.domain, diskVolume: 'no-such-disk' };
    await expect(hypervisor.defineDomain(host, missing)).rejects.toEqual(refusedAs('volume_missing'));
    const bad = { uuid: 'x', name: 'a/b', vcpus: 0, memoryMib: 1.5, mac: '53:00:00:00:00:00', ipv4: '::1' };
    for (const [field, value] of Object.entries(bad)) {
      const call = hypervisor.defineDomain(host, { ...plan.domain, [field]: value });
      await expect(call).rejects.toMatchObject({ code: 'invalid_spec', fields: [{ name: field }] });
    }
    expect(await hypervisor.listDomains(host)).toEqual([]);
  });

  it('knows what cannot be done to a domain that is off or absent', async () => {
    const { hypervisor, host } = context();
    await prepare();
    const { uuid } = plan.domain;
    await expect(hypervisor.startDomain(host, uuid)).rejects.toEqual(refusedAs('domain_missing'));
    await expect(hypervisor.shutdownDomain(host, uuid)).rejects.toEqual(refusedAs('domain_missing'));
    await expect(hypervisor.setNetwork(host, uuid, 'open')).rejects.toEqual(refusedAs('domain_missing'));
    await twice(() => hypervisor.destroyDomain(host, uuid));
    await hypervisor.defineDomain(host, plan.domain);
    await expect(hypervisor.resetDomain(host, uuid)).rejects.toEqual(refusedAs('domain_not_running'));
    await expect(hypervisor.rebootDomain(host, uuid)).rejects.toEqual(refusedAs('domain_not_running'));
    await expect(hypervisor.diskReadBytes(host, uuid)).rejects.toEqual(refusedAs('domain_not_running'));
    await twice(() => hypervisor.shutdownDomain(host, uuid));
    await twice(() => hypervisor.destroyDomain(host, uuid));
    expect(await hypervisor.agentPing(host, uuid)).toBe(false);
    const exec = hypervisor.agentExec(host, uuid, ['/bin/true'], { timeoutSeconds: 5 });
    await expect(exec).rejects.toEqual(refusedAs('domain_not_running'));
    expect(await hypervisor.domainState(host, uuid)).toBe('off');
  });

  it('closes, isolates and opens the network of a domain that is off, each twice', async () => {
    const { hypervisor, host } = context();
    await prepare();
    await hypervisor.defineDomain(host, plan.domain);
    for (const network of ['closed', 'open', 'isolated', 'closed', 'isolated'] as const) {
      await twice(() => hypervisor.setNetwork(host, plan.domain.uuid, network));
      expect(await hypervisor.listDomains(host)).toMatchObject([{ state: 'off', network }]);
    }
    await hypervisor.defineDomain(host, plan.domain);
    expect(await hypervisor.listDomains(host)).toMatchObject([{ network: 'open' }]);
    for (const network of ['closed', 'isolated'] as const) {
      await hypervisor.defineDomain(host, { ...plan.domain, network });
      expect(await hypervisor.listDomains(host)).toMatchObject([{ network }]);
    }
  });

  it('freezes the disk of a domain that is off, keeps what others stand on, and starts a second disk from it', async () => {
    const { hypervisor, host } = context();
    await prepare();
    const { uuid, diskVolume: frozenVolume } = plan.domain;
    await hypervisor.defineDomain(host, plan.domain);
    const spec = { frozenVolume, nextVolume: `next-${frozenVolume}` };
    const onFrozen = { ...plan.overlay, volumeName: `other-${frozenVolume}`, base: { frozen: frozenVolume } };
    const frozen = { consistency: 'as_left', heldMilliseconds: null, hasMemory: false };
    expect(await hypervisor.freezeDisk(host, uuid, spec)).toEqual(frozen);
    expect(await hypervisor.freezeDisk(host, uuid, spec)).toEqual(frozen);
    expect(await hypervisor.mergeLayers(host, uuid)).toEqual({ state: 'waiting' });
    await expect(hypervisor.createOverlay(host, onFrozen)).rejects.toEqual(refusedAs('volume_in_use'));

    await hypervisor.defineDomain(host, { ...plan.domain, diskVolume: spec.nextVolume });
    await twice(() => hypervisor.startDomain(host, uuid, { paused: true }));
    expect(await hypervisor.domainState(host, uuid)).toBe('paused');
    while ((await hypervisor.mergeLayers(host, uuid)).state !== 'merged') await sleep(100);
    await hypervisor.destroyDomain(host, uuid);
    await twice(() => hypervisor.createOverlay(host, onFrozen));
    await expect(hypervisor.createOverlay(host, { ...onFrozen, sizeGib: 2 })).rejects.toEqual(
      refusedAs('volume_exists_foreign'),
    );
    await expect(hypervisor.freezeDisk(host, uuid, spec)).rejects.toEqual(refusedAs('volume_missing'));
    await expect(hypervisor.deleteVolume(host, frozenVolume)).rejects.toEqual(refusedAs('volume_in_use'));

    await hypervisor.undefineDomain(host, uuid);
    await expect(hypervisor.deleteVolume(host, frozenVolume)).rejects.toEqual(refusedAs('volume_in_use'));
    await hypervisor.deleteVolume(host, onFrozen.volumeName);
    await hypervisor.deleteVolume(host, spec.nextVolume);
    await twice(() => hypervisor.deleteVolume(host, frozenVolume));
  });

  it('refuses to freeze what makes no sense', async () => {
    const { hypervisor, host } = context();
    await prepare();
    const { uuid, diskVolume } = plan.domain;
    const same = { frozenVolume: diskVolume, nextVolume: diskVolume };
    await expect(hypervisor.freezeDisk(host, uuid, same)).rejects.toEqual(refusedAs('invalid_spec'));
    const spec = { frozenVolume: diskVolume, nextVolume: 'next' };
    await expect(hypervisor.freezeDisk(host, uuid, spec)).rejects.toEqual(refusedAs('domain_missing'));
    await expect(hypervisor.mergeLayers(host, uuid)).rejects.toEqual(refusedAs('domain_missing'));
    const onNothing = { ...plan.overlay, volumeName: 'other', base: { frozen: 'no-such-disk' } };
    await expect(hypervisor.createOverlay(host, onNothing)).rejects.toEqual(refusedAs('volume_missing'));
  });

  it('takes the seed from a domain that is off', async () => {
    const { hypervisor, host } = context();
    await prepare();
    await hypervisor.defineDomain(host, plan.domain);
    const detach = () => hypervisor.detachSeed(host, plan.domain.uuid, plan.seed.volumeName);
    expect(await detach()).toBe('released');
    expect(await detach()).toBe('released');
    expect(await hypervisor.listDomains(host)).toMatchObject([{ volumes: [plan.domain.diskVolume] }]);
    const left = await hypervisor.listVolumes(host, 'disks');
    expect(left.map((volume) => volume.name)).toEqual([plan.domain.diskVolume]);
  });
}
