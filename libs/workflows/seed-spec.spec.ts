import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateHostKeyPair } from '#libs/accounts';
import { SimulatedFleet, SimulatedHypervisor } from '#libs/hypervisor/simulated';
import { Server } from '#libs/servers';
import { seedSpecOf } from './seed-spec.ts';

const run = promisify(execFile);
const HOST = 'kvm-1';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'servery-seed-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What cloud-init would read on a server with these keys and this password's hash. */
async function userData(sshPublicKeys: string[], passwordHash?: string): Promise<string> {
  const { publicKey, privateKey } = generateHostKeyPair();
  const server = Object.assign(new Server(), {
    id: 1,
    generation: 1,
    name: 'on',
    hostKey: publicKey,
    sshPublicKeys,
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
  const spec = seedSpecOf(server, address, { hostKey: privateKey, ...(passwordHash && { passwordHash }) });
  await new SimulatedHypervisor(fleet, 'here').createSeed(fleet.hostRef(HOST, 1), spec);
  return fleet.volume(HOST, 'servery-disks', spec.volumeName)?.seed?.['user-data'] ?? '';
}

async function judged(document: string): Promise<string> {
  const path = join(folder, 'user-data');
  await writeFile(path, document);
  const { stdout, stderr } = await run('cloud-init', ['schema', '--config-file', path]);
  return stdout + stderr;
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

  it('would be refused with a key that cloud-init does not take', async () => {
    const document = (await userData([], '$6$salt$hash')).replace('lock_passwd: false', 'lock_passwd: 17');
    await expect(judged(document)).rejects.toThrow(/lock_passwd/);
  });
});
