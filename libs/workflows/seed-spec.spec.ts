import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { generateSshKeyPair } from '#libs/accounts';
import { SimulatedFleet, SimulatedHypervisor } from '#libs/hypervisor/simulated';
import { Server } from '#libs/servers';
import { LET_TIMERS_GO } from './new-machine-boot.ts';
import { type DiskOrigin, seedSpecOf } from './seed-spec.ts';

const run = promisify(execFile);
const HOST = 'kvm-1';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'servery-seed-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What cloud-init would read on a server with these keys and this password's hash. */
async function userData(
  sshPublicKeys: string[],
  passwordHash?: string,
  more: Partial<Server> = {},
  origin: DiskOrigin = 'golden',
): Promise<string> {
  const { publicKey, privateKey } = generateSshKeyPair();
  const server = Object.assign(new Server(), {
    id: 1,
    generation: 1,
    name: 'on',
    hostKey: publicKey,
    sshPublicKeys,
    ...more,
  });
  const address = {
    ip: '10.99.0.10',
    mac: '52:54:00:12:34:56',
    prefixLength: 24,
    gateway: '10.99.0.1',
    isHeld: true,
  };
  const fleet = new SimulatedFleet(folder);
  fleet.addHost(HOST);
  const secrets = { hostKey: privateKey, ...(passwordHash && { passwordHash }) };
  const spec = seedSpecOf(server, address, secrets, origin);
  await new SimulatedHypervisor(fleet, 'here').createSeed(fleet.hostRef(HOST, 1), spec);
  return fleet.volume(HOST, 'servery-disks', spec.volumeName)?.seed?.['user-data'] ?? '';
}

async function judged(document: string): Promise<string> {
  const path = join(folder, 'user-data');
  await writeFile(path, document);
  const { stdout, stderr } = await run('cloud-init', ['schema', '--config-file', path]);
  return stdout + stderr;
}

/** What a first boot does to the file that holds timers, which the disk may have from another server. */
function holdOf(document: string): string | undefined {
  const [argv] = parse(document).bootcmd as string[][];
  return /(\S.*) \/etc\/servery\/timers-are-held/.exec(String(argv?.[5]))?.[1];
}

describe('the seed of a server, by cloud-init’s own schema', () => {
  it.each([
    ['with a password', [], '$6$saltsaltsalt$abcdefghijklmnopqrstuvwxyz'],
    [
      'with SSH keys',
      ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ6pRvqRv9TbF1nYQ1S0m0m9gJw1m0mS1dJ0c1mQn0aB me: {on}'],
      '',
    ],
  ])('is valid %s', async (_title, keys, hash) => {
    const document = await userData(keys, hash);
    expect(document).toMatch(/^#cloud-config\n/);
    expect(await judged(document)).toMatch(/^Valid/);
  });

  it('is valid for a clone, which becomes a new machine at its first boot and not at a rebuild', async () => {
    const clone = { cloneKind: 'safe', holdsTimers: true } as const;
    const document = await userData([], undefined, clone);
    expect(await judged(document)).toMatch(/^Valid/);
    const [argv] = parse(document).bootcmd as string[][];
    expect(argv?.slice(0, 5)).toEqual(['cloud-init-per', 'instance', 'servery-new-machine', '/bin/sh', '-c']);
    expect(holdOf(document)).toBe('touch');
    for (const script of [String(argv?.[5]), LET_TIMERS_GO]) {
      expect(script).toContain('/etc/servery/timers-are-held');
      await run('/bin/sh', ['-n', '-c', script]);
    }
    expect(holdOf(await userData([], undefined, { ...clone, holdsTimers: false }))).toBe('rm -f');
    expect(parse(await userData([], undefined, { ...clone, generation: 2 })).bootcmd).toBeUndefined();
    expect(parse(await userData([], undefined, { cloneKind: null })).bootcmd).toBeUndefined();
  });

  it('is valid for a server on a disk that has been used, which becomes a new machine and holds no timers', async () => {
    const document = await userData([], undefined, { generation: 3, holdsTimers: true }, 'used');
    expect(await judged(document)).toMatch(/^Valid/);
    const [argv] = parse(document).bootcmd as string[][];
    expect(String(argv?.[5])).toContain('systemd-machine-id-setup');
    expect(holdOf(document)).toBe('rm -f');
  });

  it('would be refused with a key that cloud-init does not take', async () => {
    const document = (await userData([], '$6$salt$hash')).replace('lock_passwd: false', 'lock_passwd: 17');
    await expect(judged(document)).rejects.toThrow(/lock_passwd/);
  });
});
