import { afterEach, expect, it } from 'vitest';
import { generateSshKeyPair, type SshKeyPair } from '#libs/accounts';
import { sleep } from '#libs/kernel';
import type { ConformanceContext, ServerPlan } from './conformance-context.ts';
import { planServer } from './conformance-context.ts';
import { refusedAs } from './refused-as.ts';

const PAUSE_MS = 250;
/** More than a boot loader reads, less than the kernel that it loads. */
const MEBIBYTE = 1024 * 1024;

/** The part of the suite that boots guests. */
export function describeGuests(context: () => ConformanceContext): void {
  let plan: ServerPlan | undefined;
  const boot = async (hostKey?: SshKeyPair) => {
    const { hypervisor, host } = context();
    const made = planServer(context(), hostKey);
    plan = made;
    await hypervisor.createOverlay(host, made.overlay);
    await hypervisor.createSeed(host, made.seed);
    await hypervisor.defineDomain(host, made.domain);
    await hypervisor.startDomain(host, made.domain.uuid);
    await agentAnswers(made);
    // As a workflow does: what a guest has in its memory alone is lost with its power.
    await hypervisor.agentExec(host, made.domain.uuid, ['/bin/sync'], { timeoutSeconds: 60 });
    return made;
  };
  const agentAnswers = ({ domain }: ServerPlan) =>
    within(context().bootSeconds, 'agent', () => context().hypervisor.agentPing(context().host, domain.uuid));
  const bootIdOf = async ({ domain }: ServerPlan) => {
    const { hypervisor, host } = context();
    const argv = ['/bin/cat', '/proc/sys/kernel/random/boot_id'] as const;
    return (await hypervisor.agentExec(host, domain.uuid, argv, { timeoutSeconds: 30 })).stdout;
  };
  const isOff = ({ domain }: ServerPlan) =>
    within(context().bootSeconds, 'power off', async () => {
      return (await context().hypervisor.domainState(context().host, domain.uuid)) === 'off';
    });
  afterEach(async () => {
    const { hypervisor, host } = context();
    if (!plan) return;
    await hypervisor.undefineDomain(host, plan.domain.uuid);
    await hypervisor.deleteVolume(host, plan.domain.diskVolume, { wipe: true });
    await hypervisor.deleteVolume(host, plan.seed.volumeName);
    expect(await hypervisor.listDomains(host)).toEqual([]);
    expect(await hypervisor.listVolumes(host, 'disks')).toEqual([]);
    plan = undefined;
  });

  it('boots a guest that is what its seed says, seen from inside and outside', async () => {
    const { hypervisor, reach, host, network } = context();
    const hostKey = generateSshKeyPair();
    const { domain, hostname } = await boot(hostKey);
    await hypervisor.startDomain(host, domain.uuid);
    expect(await hypervisor.domainState(host, domain.uuid)).toBe('running');
    expect(await hypervisor.diskReadBytes(host, domain.uuid)).toBeGreaterThan(MEBIBYTE);

    const run = (...argv: [string, ...string[]]) =>
      hypervisor.agentExec(host, domain.uuid, argv, { timeoutSeconds: 30 });
    const words = 'it\'s "one" $HOME \\ `x` ü argument';
    expect(await run('/bin/echo', words)).toEqual({ exitCode: 0, stdout: `${words}\n`, stderr: '' });
    const input = `${words}\n`.repeat(2000);
    const options = { timeoutSeconds: 30, input };
    expect((await hypervisor.agentExec(host, domain.uuid, ['/bin/cat'], options)).stdout).toBe(input);
    expect(await run('/bin/false')).toMatchObject({ exitCode: 1 });
    expect(await run('/bin/hostname')).toMatchObject({ stdout: `${hostname}\n` });

    await within(context().bootSeconds, 'SSH', () => reach.tcpOpen(host, network.address, 22));
    expect(await reach.readSshHostKey(host, network.address, 22)).toBe(hostKey.publicKey);
    const page = await reach.httpGet(host, network.address, 80, '/');
    expect(page).toEqual({ status: 200, body: expect.stringContaining(hostname) });

    const [used, ...others] = await hypervisor.sampleDomains(host);
    expect(others).toEqual([]);
    expect(used).toMatchObject({ uuid: domain.uuid });
    const { cpuMilliseconds, diskReads, diskReadBytes, packetsIn, packetsOut, bytesIn, bytesOut } =
      used ?? {};
    expect(diskReadBytes).toBeGreaterThan(MEBIBYTE);
    for (const counted of [cpuMilliseconds, diskReads, packetsIn, packetsOut, bytesIn, bytesOut]) {
      expect(counted).toBeGreaterThan(0);
    }
  });

  it('sets a password through the agent, and refuses unknown users and control characters', async () => {
    const { hypervisor, host } = context();
    const { uuid } = (await boot()).domain;
    const set = (user: string, password: string) => hypervisor.agentSetPassword(host, uuid, user, password);
    await set('root', 'correct horse "battery" \'staple\' \\ $5');
    await set('root', 'correct horse "battery" \'staple\' \\ $5');
    await expect(set('nobody-here', 'secret')).rejects.toMatchObject({ code: 'agent_refused' });
    for (const wrong of ['', 'two\nlines', 'x'.repeat(1000)]) {
      const refusal = await set('root', wrong).catch((error: unknown) => error);
      expect(refusal).toMatchObject({ code: 'invalid_spec' });
      if (wrong !== '') expect(JSON.stringify(refusal)).not.toContain(wrong);
    }
  });

  it('takes the seed from a running guest, which then boots without it, larger than it was', async () => {
    const { hypervisor, reach, host, network } = context();
    const plan = await boot();
    const { uuid, diskVolume } = plan.domain;
    const before = await within(context().bootSeconds, 'host key', () =>
      reach.readSshHostKey(host, network.address, 22),
    );
    const detach = () => hypervisor.detachSeed(host, uuid, plan.seed.volumeName);
    expect(await detach()).toBe('released');
    expect(await detach()).toBe('released');
    expect((await hypervisor.listVolumes(host, 'disks')).map((volume) => volume.name)).toEqual([diskVolume]);
    expect(await hypervisor.listDomains(host)).toMatchObject([{ state: 'running', volumes: [diskVolume] }]);

    await expect(hypervisor.growVolume(host, { volumeName: diskVolume, sizeGib: 2 })).rejects.toEqual(
      refusedAs('volume_in_use'),
    );
    await hypervisor.shutdownDomain(host, uuid);
    await isOff(plan);
    const { seedVolume: _gone, ...seedless } = plan.domain;
    await hypervisor.defineDomain(host, { ...seedless, vcpus: 2, memoryMib: 256 });
    await hypervisor.growVolume(host, { volumeName: diskVolume, sizeGib: 2 });
    await hypervisor.startDomain(host, uuid);
    await agentAnswers(plan);
    const run = (...argv: [string, ...string[]]) =>
      hypervisor.agentExec(host, uuid, argv, { timeoutSeconds: 30 });
    expect(await run('/bin/nproc')).toMatchObject({ stdout: '2\n' });
    expect(await run('/bin/cat', '/sys/block/vda/size')).toMatchObject({ stdout: `${2 ** 22}\n` });
    const after = await within(context().bootSeconds, 'host key', () =>
      reach.readSshHostKey(host, network.address, 22),
    );
    expect(after).toBe(before);
  });

  it('cuts a running guest off, and one that starts, until its network is opened', async () => {
    const { hypervisor, reach, host, network } = context();
    const plan = await boot();
    const { uuid } = plan.domain;
    const reachable = () => reach.tcpOpen(host, network.address, 22);
    await within(context().bootSeconds, 'SSH', reachable);
    await hypervisor.setNetwork(host, uuid, 'closed');
    expect(await reachable()).toBe(false);
    await hypervisor.destroyDomain(host, uuid);
    await hypervisor.startDomain(host, uuid);
    await agentAnswers(plan);
    expect(await reachable()).toBe(false);
    expect(await hypervisor.listDomains(host)).toMatchObject([{ state: 'running', network: 'closed' }]);
    await hypervisor.setNetwork(host, uuid, 'open');
    await within(context().bootSeconds, 'SSH', reachable);
  });

  it('lets an isolated guest answer, and reach nobody but whom it is allowed to, also when it starts', async () => {
    const { hypervisor, reach, host, network, outside } = context();
    const plan = await boot();
    const { uuid } = plan.domain;
    const reachable = () => reach.tcpOpen(host, network.address, 80);
    const reaches = async (address: string) => {
      const argv = ['/bin/nc', '-w', '5', address, String(outside.port)] as const;
      return (await hypervisor.agentExec(host, uuid, [...argv], { timeoutSeconds: 30 })).exitCode === 0;
    };
    const sees = async () => [await reaches(outside.refused), await reaches(outside.allowed)];
    await within(context().bootSeconds, 'web page', reachable);
    expect(await sees()).toEqual([true, true]);
    await hypervisor.setNetwork(host, uuid, 'isolated');
    expect([await reachable(), ...(await sees())]).toEqual([true, false, true]);
    await hypervisor.destroyDomain(host, uuid);
    await hypervisor.startDomain(host, uuid);
    await agentAnswers(plan);
    await within(context().bootSeconds, 'web page', reachable);
    expect(await sees()).toEqual([false, true]);
    expect(await hypervisor.listDomains(host)).toMatchObject([{ state: 'running', network: 'isolated' }]);
    await hypervisor.setNetwork(host, uuid, 'closed');
    expect(await reachable()).toBe(false);
    await hypervisor.setNetwork(host, uuid, 'isolated');
    await within(context().bootSeconds, 'web page', reachable);
    expect(await sees()).toEqual([false, true]);
    await hypervisor.setNetwork(host, uuid, 'open');
    expect(await sees()).toEqual([true, true]);
  });

  it('freezes the disk under a running guest, merges it, and goes back to it', async () => {
    const { hypervisor, host } = context();
    const plan = await boot();
    const { uuid, diskVolume: frozenVolume } = plan.domain;
    const names = async () => (await hypervisor.listVolumes(host, 'disks')).map(({ name }) => name).sort();
    const hostname = () => hypervisor.agentExec(host, uuid, ['/bin/hostname'], { timeoutSeconds: 30 });
    const nextVolume = `next-${frozenVolume}`;
    const spec = { frozenVolume, nextVolume };
    const frozen = await hypervisor.freezeDisk(host, uuid, spec);
    expect(frozen).toEqual({
      ...{ consistency: 'filesystem', heldMilliseconds: expect.any(Number), hasMemory: false },
    });
    expect(await hypervisor.freezeDisk(host, uuid, spec)).toMatchObject({ consistency: 'crash' });
    expect(await hypervisor.listDomains(host)).toMatchObject([
      { state: 'running', volumes: [nextVolume, plan.seed.volumeName] },
    ]);
    await hypervisor.defineDomain(host, { ...plan.domain, diskVolume: nextVolume });
    expect(await hostname()).toMatchObject({ stdout: `${plan.hostname}\n` });

    const merged = async () => (await hypervisor.mergeLayers(host, uuid)).state === 'merged';
    await within(context().bootSeconds, 'merging', merged);
    const former = { ...plan.overlay, volumeName: `former-${frozenVolume}`, base: { frozen: frozenVolume } };
    await hypervisor.createOverlay(host, former);
    await hypervisor.destroyDomain(host, uuid);
    await hypervisor.defineDomain(host, { ...plan.domain, diskVolume: former.volumeName });
    await hypervisor.deleteVolume(host, nextVolume);
    await hypervisor.startDomain(host, uuid);
    await agentAnswers(plan);
    expect(await hostname()).toMatchObject({ stdout: `${plan.hostname}\n` });
    expect(await names()).toEqual([former.volumeName, frozenVolume, plan.seed.volumeName].sort());

    await hypervisor.destroyDomain(host, uuid);
    await hypervisor.defineDomain(host, plan.domain);
    await hypervisor.deleteVolume(host, former.volumeName);
  });

  it('keeps the memory of a running guest with its disk, and goes on from both without a boot', async () => {
    const { hypervisor, host } = context();
    const booted = await boot();
    const { domain, seed, overlay } = booted;
    const { uuid, diskVolume: frozenVolume } = domain;
    const [nextVolume, memoryVolume, back] = ['next', 'memory', 'back'].map(
      (what) => `${what}-${frozenVolume}`,
    );
    const spec = { frozenVolume, nextVolume: String(nextVolume), memoryVolume: String(memoryVolume) };
    const disk = { ...overlay, volumeName: String(back), base: { frozen: frozenVolume } };
    const asSeen = { memoryVolume: spec.memoryVolume, diskVolume: disk.volumeName };
    await expect(hypervisor.freezeDisk(host, uuid, spec)).rejects.toEqual(
      refusedAs('domain_has_other_disks'),
    );
    await hypervisor.detachSeed(host, uuid, seed.volumeName);
    const before = await bootIdOf(booted);
    const frozen = { consistency: 'crash', heldMilliseconds: null, hasMemory: true };
    expect(await hypervisor.freezeDisk(host, uuid, spec)).toEqual(frozen);
    expect(await hypervisor.freezeDisk(host, uuid, spec)).toEqual(frozen);
    const { seedVolume: _gone, ...seedless } = domain;
    const defined = { ...seedless, diskVolume: disk.volumeName, network: 'closed' } as const;

    await hypervisor.createOverlay(host, disk);
    await hypervisor.destroyDomain(host, uuid);
    await hypervisor.defineDomain(host, { ...defined, memoryMib: 256 });
    await expect(hypervisor.resumeDomain(host, uuid, asSeen)).rejects.toEqual(
      refusedAs('memory_of_another_size'),
    );
    await hypervisor.defineDomain(host, defined);
    for (const _twice of [1, 2]) await hypervisor.resumeDomain(host, uuid, asSeen);
    expect(await hypervisor.listDomains(host)).toMatchObject([
      { state: 'running', volumes: [disk.volumeName], network: 'closed' },
    ]);
    await agentAnswers(booted);
    expect(await bootIdOf(booted)).toBe(before);

    await hypervisor.destroyDomain(host, uuid);
    await hypervisor.defineDomain(host, { ...seedless, diskVolume: frozenVolume });
    for (const left of [disk.volumeName, spec.nextVolume, spec.memoryVolume])
      await hypervisor.deleteVolume(host, left);
  });

  it('reboots, resets and pulls the plug', async () => {
    const { hypervisor, reach, host, network } = context();
    const plan = await boot();
    for (const how of ['rebootDomain', 'resetDomain'] as const) {
      const before = await bootIdOf(plan);
      await hypervisor[how](host, plan.domain.uuid);
      const hasBooted = async () => (await bootIdOf(plan).catch(() => before)) !== before;
      await within(context().bootSeconds, `a boot by ${how}`, hasBooted);
    }
    await hypervisor.destroyDomain(host, plan.domain.uuid);
    expect(await hypervisor.domainState(host, plan.domain.uuid)).toBe('off');
    expect(await hypervisor.sampleDomains(host)).toEqual([]);
    expect(await reach.tcpOpen(host, network.address, 22)).toBe(false);
    expect(await reach.readSshHostKey(host, network.address, 22)).toBeNull();
    expect(await reach.httpGet(host, network.address, 80, '/')).toBeNull();
  });

  it('tells a guest that was switched off from one that went down with its host', async () => {
    const { hypervisor, host, cutPower } = context();
    const { uuid } = (await boot()).domain;
    const seen = async () => {
      const found = (await hypervisor.listDomains(host)).find((domain) => domain.uuid === uuid);
      return found && [found.state, found.wasCutOff];
    };
    await hypervisor.destroyDomain(host, uuid);
    expect(await seen()).toEqual(['off', false]);
    await hypervisor.startDomain(host, uuid);
    expect(await seen()).toEqual(['running', false]);
    await cutPower();
    await within(context().bootSeconds, 'the host', () => hypervisor.listDomains(host).catch(() => null));
    expect(await seen()).toEqual(['off', true]);
    await hypervisor.startDomain(host, uuid);
    expect(await seen()).toEqual(['running', false]);
  });
}

/** Asks again and again until the answer is something; says what was waited for where it never is. */
async function within<T>(seconds: number, what: string, ask: () => Promise<T>): Promise<NonNullable<T>> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > deadline) throw new Error(`waited ${seconds} s in vain for: ${what}`);
    await sleep(PAUSE_MS);
  }
}
