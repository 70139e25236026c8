import { mkdtemp, rm } from 'node:fs/promises';
import { Client, type ConnectConfig, utils } from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateSshKeyPair } from '#libs/accounts';
import { agentAnswers, startGuest, virsh } from './guest.fixture.ts';
import { type Lab, type LabHost, startLab } from './index.ts';
import { waitUntil } from './processes.ts';
import { buildTinyGuest, type TinyGuest } from './tiny-guest.ts';

/** Under emulation on a busy machine; on an idle one the guest takes about five seconds. */
const BOOT_SECONDS = 180;
const ADDRESSES = { one: '10.77.0.201', two: '10.77.0.202', liar: '10.77.0.203' } as const;

const rootKey = generateSshKeyPair();
const hostKey = generateSshKeyPair();
const userData = {
  ssh_authorized_keys: [`${rootKey.publicKey} root of the tiny guest, with words to fold`],
  ssh_keys: { ed25519_private: hostKey.privateKey, ed25519_public: hostKey.publicKey },
  chpasswd: { expire: false, users: [{ name: 'root', password: 'from the: seed', type: 'text' }] },
};

let folder: string;
let lab: Lab;
let first: LabHost;
let second: LabHost;
let image: TinyGuest;

beforeAll(async () => {
  folder = await mkdtemp('/tmp/servery-lab-');
  image = await buildTinyGuest(`${process.env.SERVERY_DATA_DIR || '.servery'}/cache/tiny-guest`);
  lab = await startLab({ folder, hosts: 2 });
  [first, second] = lab.hosts as [LabHost, LabHost];
  await startGuest(first, image, { name: 'one', address: ADDRESSES.one, userData });
  await startGuest(second, image, { name: 'two', address: ADDRESSES.two, userData });
  await Promise.all([booted(first, 'one'), booted(second, 'two')]);
}, 600_000);

afterAll(async () => {
  await lab?.stop({ purge: true });
  await rm(folder, { recursive: true, force: true });
});

describe('the tiny guest', () => {
  it('is a disk of at most 40 MB', () => {
    expect(image.virtualSizeBytes).toBeLessThanOrEqual(40_000_000);
    expect(image.sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it('is reached on each host through the relay, under its name', async () => {
    expect(await page(ADDRESSES.one)).toContain('<h1>one</h1>');
    expect(await page(ADDRESSES.two)).toContain('<h1>two</h1>');
  });

  it('takes a key from its seed, and has the host key that was given to it', async () => {
    const expected = utils.parseKey(hostKey.publicKey);
    if (expected instanceof Error) throw expected;
    let seen: Buffer | undefined;
    const hostVerifier = (key: Buffer) => {
      seen = key;
      return true;
    };
    expect(await login({ privateKey: rootKey.privateKey, hostVerifier }, 'hostname')).toBe('one');
    expect(seen).toEqual(expected.getPublicSSH());
  });

  it('takes a password from its seed, and another from its agent', async () => {
    expect(await login({ password: 'from the: seed' }, 'echo in')).toBe('in');
    await virsh(first, 'set-user-password', 'one', 'root', 'pa$$ w:ord"1');
    expect(await login({ password: 'pa$$ w:ord"1' }, 'echo in')).toBe('in');
    await expect(login({ password: 'from the: seed' }, 'echo in')).rejects.toThrow(/authentication/);
  });

  it('lets go of the seed, shuts down at the power button, and keeps what it is', async () => {
    await virsh(first, 'detach-disk', 'one', 'vdb', '--live', '--config');
    expect(await waitUntil(async () => !(await virsh(first, 'domblklist', 'one')).includes('vdb'), 30)).toBe(
      true,
    );
    await virsh(first, 'shutdown', 'one', '--mode', 'acpi');
    expect(await waitUntil(() => isOff('one'), 60)).toBe(true);
    await virsh(first, 'start', 'one');
    await booted(first, 'one');
    expect(await login({ password: 'pa$$ w:ord"1' }, 'hostname')).toBe('one');
    expect(await page(ADDRESSES.one)).toContain('<h1>one</h1>');
  });

  it('is not heard under an address that is not its own', async () => {
    await startGuest(first, image, { name: 'liar', address: ADDRESSES.liar, allowedAddress: '10.77.0.204' });
    await booted(first, 'liar');
    await expect(lab.dial({ address: ADDRESSES.liar, port: 80 }, 5)).rejects.toMatchObject({
      code: 'unreachable',
    });
    await virsh(first, 'destroy', 'liar');
  });
});

describe('levers, seen by guests', () => {
  it('cut: unreachable, and the other one is not', async () => {
    await lab.cut('kvm2');
    await expect(lab.dial({ address: ADDRESSES.two, port: 80 }, 5)).rejects.toMatchObject({
      code: 'unreachable',
    });
    expect(await page(ADDRESSES.one)).toContain('<h1>one</h1>');
    await lab.heal('kvm2');
    expect(await page(ADDRESSES.two)).toContain('<h1>two</h1>');
  });

  it('freeze: stands still, and goes on where it was', async () => {
    const uptime = async () =>
      Number((await login({ privateKey: rootKey.privateKey }, 'cut -d. -f1 /proc/uptime')).trim());
    const before = await uptime();
    await lab.freeze('kvm1');
    const socket = await lab.dial({ address: ADDRESSES.one, port: 80 }, 3).catch(() => undefined);
    socket?.destroy();
    expect(socket).toBeUndefined();
    await lab.thaw('kvm1');
    expect(await uptime()).toBeGreaterThanOrEqual(before);
  });

  it('kill: gone at once; after heal it is off, and boots again', async () => {
    expect((await lab.status()).hosts[0]?.guests).toBe(1);
    await lab.kill('kvm1');
    expect((await lab.status()).hosts[0]).toMatchObject({ state: 'off', guests: 0 });
    await lab.heal('kvm1');
    expect(await isOff('one')).toBe(true);
    await virsh(first, 'start', 'one');
    await booted(first, 'one');
    expect(await page(ADDRESSES.one)).toContain('<h1>one</h1>');
  });
});

async function booted(host: LabHost, name: string): Promise<void> {
  if (!(await waitUntil(() => agentAnswers(host, name), BOOT_SECONDS)))
    throw new Error(`${name} does not boot`);
}

async function isOff(name: string): Promise<boolean> {
  return (await virsh(first, 'domstate', name)).trim() === 'shut off';
}

async function page(address: string): Promise<string> {
  const { listenPort } = await lab.show({ address, port: 80 });
  return (await fetch(`http://127.0.0.1:${listenPort}/`)).text();
}

/** Logs in to the guest `one` as root through the gateway, runs a command, and returns its output. */
async function login(how: ConnectConfig, command: string): Promise<string> {
  const sock = await lab.dial({ address: ADDRESSES.one, port: 22 });
  const client = new Client();
  return new Promise<string>((resolve, reject) => {
    client.once('error', reject).once('ready', () => {
      client.exec(command, (error, stream) => {
        if (error) return reject(error);
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.once('close', () => resolve(Buffer.concat(chunks).toString().trim()));
        return undefined;
      });
    });
    client.connect({ sock, username: 'root', readyTimeout: 60_000, ...how });
  }).finally(() => client.destroy());
}
