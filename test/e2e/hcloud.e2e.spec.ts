import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createVolumeResponse, type ServerWire, type VolumeWire } from '#libs/contracts';
import { newSshKey } from '../browser/ssh.fixture.ts';
import { lookAtScreen } from '../support/rfb-client.ts';
import {
  ask,
  deleteServers,
  findServers,
  finished,
  fromEnvironment,
  ledger,
  onServer,
  root,
  webPage,
} from './stack.fixture.ts';

const run = promisify(execFile);
const COMMAND_TIMEOUT_MILLISECONDS = 12 * 60_000;
/** A login takes a guest seconds under emulation. */
const SOON = { timeout: 120_000, interval: 1000 };

/** Debian's own command, which knows nothing of Servery: one server goes through its life, test by test. */
describe('the hcloud command', () => {
  const name = `hcloud-${randomUUID().slice(0, 8)}`;
  /** That the server is made with. */
  const firstVolume = `${name}-first`;
  const { privateKey, publicKey } = newSshKey(name);
  let home: string;

  async function hcloud(...args: string[]): Promise<string> {
    const { stdout } = await run('hcloud', args, {
      timeout: COMMAND_TIMEOUT_MILLISECONDS,
      env: {
        PATH: process.env.PATH,
        HOME: home,
        HCLOUD_ENDPOINT: fromEnvironment('HCLOUD_ENDPOINT'),
        HCLOUD_TOKEN: fromEnvironment('HCLOUD_TOKEN'),
      },
    });
    return stdout;
  }

  async function theServer(): Promise<ServerWire> {
    const [server, ...more] = await findServers(name);
    if (!server || more.length > 0) throw new Error(`there is not one ${name}`);
    return server;
  }

  async function theVolume(): Promise<VolumeWire> {
    return JSON.parse(await hcloud('volume', 'describe', name, '-o', 'json'));
  }

  const onVolume = async (command: string) => onServer(await theServer(), { privateKey }, command);

  const bootId = async () =>
    onServer(await theServer(), { privateKey }, 'cat /proc/sys/kernel/random/boot_id');

  /** The status that hcloud itself lists. */
  async function listedStatus(): Promise<string | undefined> {
    const lines = await hcloud('server', 'list', '-o', 'noheader', '-o', 'columns=name,status');
    return lines
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.split(/\s+/)[1];
  }

  /** Waits out a boot: hcloud's reboot and change-type end when the machine has been told. */
  const answers = () => expect.poll(() => bootId().catch(() => ''), { timeout: 600_000, interval: 2000 });

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'servery-hcloud-'));
  });
  afterAll(async () => {
    await deleteServers([name]);
    for (const volume of [name, firstVolume]) await hcloud('volume', 'delete', volume).catch(() => undefined);
    await hcloud('ssh-key', 'delete', name).catch(() => undefined);
    await rm(home, { recursive: true });
  });

  it('takes an SSH key', async () => {
    const file = join(home, 'key.pub');
    await writeFile(file, publicKey);
    await hcloud('ssh-key', 'create', '--name', name, '--public-key-from-file', file);
    expect(await hcloud('ssh-key', 'describe', name)).toContain(publicKey.split(' ')[1]);
  });

  it('creates a server and waits until it is ready', async () => {
    const location =
      (await hcloud('location', 'list', '-o', 'noheader', '-o', 'columns=name')).split('\n')[0] ?? '';
    // The command sends a format only for a volume of a server that is there.
    const { action } = await ask(createVolumeResponse, 'POST', '/volumes', {
      ...{ name: firstVolume, size: 1, location, format: 'xfs' },
    });
    await finished(action.id);
    const wanted = ['--name', name, '--type', 's1', '--image', 'web', '--ssh-key', name];
    const output = await hcloud('server', 'create', ...wanted, '--volume', firstVolume, '--automount');
    const { id, public_net } = await theServer();
    expect(output).toContain(`Server ${id} created`);
    expect(output).toContain(`IPv4: ${public_net.ipv4?.ip}`);
    expect(output).not.toMatch(/password/i);
  });

  it('lists and describes it', async () => {
    expect(await listedStatus()).toBe('running');
    const described = JSON.parse(await hcloud('server', 'describe', name, '-o', 'json'));
    expect(described).toMatchObject({
      name,
      status: 'running',
      server_type: { name: 's1' },
      image: { name: 'web' },
    });
    expect(await hcloud('server', 'describe', name)).toMatch(/Status:\s+running/);
  });

  it('has made a server that the key opens and whose web page says its name', async () => {
    const server = await theServer();
    expect(await onServer(server, { privateKey }, 'hostname')).toBe(name);
    expect(await webPage(server)).toContain(name);
  });

  it('was paid once', async () => {
    const { servery } = await theServer();
    const mine = (await ledger()).intents.filter(({ orderId }) => orderId === String(servery.order_id));
    expect(mine).toMatchObject([{ status: 'succeeded', heldMinor: 0, refundedMinor: 0 }]);
    expect(mine[0]?.capturedMinor).toBe(mine[0]?.amountMinor);
  });

  it('has made it with a volume of XFS, which is mounted, and grows while it is', async () => {
    const { id, server } = JSON.parse(await hcloud('volume', 'describe', firstVolume, '-o', 'json'));
    const at = `/mnt/HC_Volume_${id}`;
    expect((await theServer()).volumes).toEqual([id]);
    expect(server).toBe((await theServer()).id);
    const found = `findmnt -n -o FSTYPE ${at}; grep -c HC_Volume_${id} /etc/fstab`;
    expect(await onVolume(`${found}; echo precious >${at}/kept`)).toBe('xfs\n1');
    await hcloud('volume', 'resize', firstVolume, '--size', '2');
    const grown = `xfs_growfs ${at} >/dev/null; df --output=size -BM ${at} | tail -1; cat ${at}/kept`;
    expect(await onVolume(grown)).toMatch(/^\s*(19|20)\d\dM\nprecious$/);
    await hcloud('volume', 'detach', firstVolume);
    await hcloud('volume', 'delete', firstVolume);
  });

  it('gives it a volume with a file system, which is mounted', async () => {
    const wanted = ['--name', name, '--size', '1', '--server', name, '--format', 'ext4', '--automount'];
    expect(await hcloud('volume', 'create', ...wanted)).toMatch(/Volume \d+ created/);
    const { id, linux_device: device } = await theVolume();
    expect(device).toBe(`/dev/disk/by-id/scsi-0HC_Volume_${id}`);
    expect(await onVolume(`findmnt -n -o FSTYPE,TARGET --source $(readlink -f ${device})`)).toMatch(
      new RegExp(`^ext4\\s+/mnt/HC_Volume_${id}$`),
    );
    expect((await theServer()).volumes).toEqual([id]);
  });

  it('makes the volume larger under a writer', async () => {
    const { id, linux_device: device } = await theVolume();
    const at = `/mnt/HC_Volume_${id}`;
    // By the shell alone: each program that is started takes an emulated guest long.
    const writer = `until [ -e /run/enough ]; do echo on >>${at}/log; sleep 1; done`;
    await onVolume(`echo precious >${at}/kept; sync; (${writer}) >/dev/null 2>&1 &`);
    await hcloud('volume', 'resize', name, '--size', '2');
    expect((await theVolume()).size).toBe(2);
    const lines = `wc -l <${at}/log`;
    const grown = `blockdev --getsize64 ${device}; resize2fs ${device} >/dev/null 2>&1; df --output=size -BM ${at} | tail -1`;
    const said = await onVolume(`${grown}; ${lines}; sleep 5; ${lines}; touch /run/enough; cat ${at}/kept`);
    const [bytes, megabytes = '', before, after, kept] = said.split('\n');
    expect([bytes, kept]).toEqual([String(2 * 1024 ** 3), 'precious']);
    expect(Number.parseInt(megabytes, 10)).toBeGreaterThan(1800);
    expect(Number(after)).toBeGreaterThan(Number(before));
  });

  it('resets the password of root', async () => {
    const output = await hcloud('server', 'reset-password', name);
    const password = /reset to: (\S+)/.exec(output)?.[1] ?? '';
    expect(await onServer(await theServer(), { password }, 'hostname')).toBe(name);
    await expect(onServer(await theServer(), { password: `${password}x` }, 'hostname')).rejects.toThrow();
  });

  it('powers it off and on, and changes its type, from which it starts larger', async () => {
    const before = await bootId();
    await hcloud('server', 'poweroff', name);
    expect(await listedStatus()).toBe('off');
    await expect(bootId()).rejects.toThrow();
    await hcloud('server', 'poweron', name);
    expect(await listedStatus()).toBe('running');
    await expect(hcloud('server', 'change-type', name, 's2')).rejects.toThrow('server_not_stopped');
    await hcloud('server', 'poweroff', name);
    await hcloud('server', 'change-type', name, 's2');
    expect(await listedStatus()).toBe('running');
    expect(await theServer()).toMatchObject({ server_type: { name: 's2' }, primary_disk_size: 20 });
    await answers().toSatisfy((now: string) => now !== '' && now !== before);
    const sizes = await onServer(
      await theServer(),
      { privateKey },
      'nproc; df --output=size -BG / | tail -1',
    );
    expect(sizes).toMatch(/^2\n\s*(19|20)G$/);
    await expect(hcloud('server', 'change-type', name, 's1')).rejects.toThrow('cannot shrink');
    const { id } = await theVolume();
    const kept = () => onVolume(`cat /mnt/HC_Volume_${id}/kept`).catch((error: Error) => error.message);
    await expect.poll(kept, SOON).toBe('precious');
  });

  it('opens its screen with an address and a password that are good once', async () => {
    const said = await hcloud('server', 'request-console', name);
    const [, url = ''] = /WebSocket URL: (\S+)/.exec(said) ?? [];
    const [, password = ''] = /VNC Password: (\S+)/.exec(said) ?? [];
    const { width, height, name: title } = await lookAtScreen(url, password);
    expect(width * height).toBeGreaterThan(320 * 200);
    expect(title).toMatch(/\w/);
    await expect(lookAtScreen(url, password)).rejects.toThrow('403');
  });

  it('starts from the rescue system, which shows its disk, and reboots into its own, which is as it was', async () => {
    const before = await theServer();
    await onServer(before, { privateKey }, 'echo precious >/root/kept; sync');
    await hcloud('server', 'enable-rescue', name, '--ssh-key', name);
    expect(await theServer()).toMatchObject({ rescue_enabled: true, status: 'running' });
    await hcloud('server', 'disable-rescue', name);
    expect((await theServer()).rescue_enabled).toBe(false);
    await hcloud('server', 'enable-rescue', name, '--ssh-key', name);
    await hcloud('server', 'reset', name);
    const server = await theServer();
    const { rescue } = server.servery;
    expect([server.rescue_enabled, rescue?.state]).toEqual([false, 'running']);
    const rescued = { ...server, servery: { ...server.servery, host_key: rescue?.host_key ?? null } };
    const look = 'hostname; mount -o ro /dev/vda3 /mnt && cat /mnt/root/kept /mnt/etc/hostname';
    expect(await onServer(rescued, { privateKey }, look)).toBe(`rescue\nprecious\n${name}`);
    const { id } = await theVolume();
    expect(
      await onServer(rescued, { privateKey }, `blkid -o value -s TYPE /dev/disk/by-id/scsi-0HC_Volume_${id}`),
    ).toBe('ext4');
    await expect(hcloud('server', 'rebuild', name, '--image', 'debian-12')).rejects.toThrow('rescue system');
    await hcloud('server', 'reboot', name);
    await answers().not.toBe('');
    expect(await onServer(await theServer(), { privateKey }, 'hostname; cat /root/kept')).toBe(
      `${name}\nprecious`,
    );
    const after = await theServer();
    expect([after.servery.rescue, after.servery.host_key]).toEqual([null, before.servery.host_key]);
  });

  it('has an ISO image put into its CD drive, and taken out, while it runs', async () => {
    const [content, file] = [join(home, 'disc'), join(home, 'disc.iso')];
    await mkdir(content);
    await writeFile(join(content, 'kept'), 'on the disc');
    await run('xorrisofs', ['-quiet', '-V', 'DISC', '-o', file, content]);
    await run('sh', [join(root, 'scripts/servery.sh'), 'iso', 'add', name, '--file', file]);
    expect(await hcloud('iso', 'list', '-o', 'noheader', '-o', 'columns=name')).toContain(name);
    await hcloud('server', 'attach-iso', name, name);
    expect((await theServer()).iso).toMatchObject({ name, type: 'public' });
    const read = () =>
      onServer(
        theServerNow,
        { privateKey },
        'modprobe isofs; mount -o ro /dev/sr0 /mnt && cat /mnt/kept; umount /mnt',
      );
    const theServerNow = await theServer();
    await expect.poll(() => read().catch(() => ''), SOON).toBe('on the disc');
    await expect(hcloud('server', 'rebuild', name, '--image', 'debian-12')).rejects.toThrow('CD drive');
    await hcloud('server', 'detach-iso', name);
    expect((await theServer()).iso).toBeNull();
    expect(await onServer(theServerNow, { privateKey }, 'ls /dev/sr0 2>&1; true')).toContain('No such file');
    await run('sh', [join(root, 'scripts/servery.sh'), 'iso', 'remove', name]);
  });

  it('shows what it uses', async () => {
    const shown = async () => {
      const output = await hcloud('server', 'metrics', name, '--type', 'cpu,disk,network', '-o', 'json');
      return JSON.parse(output).metrics.time_series;
    };
    const measured = async () => Number((await shown()).cpu?.values?.length ?? 0);
    await expect.poll(measured, { timeout: 200_000, interval: 5000 }).toBeGreaterThan(0);
    const series = await shown();
    expect(Object.keys(series)).toContain('network.0.bandwidth.in');
    expect(await hcloud('server', 'metrics', name, '--type', 'cpu')).toContain('cpu');
  });

  it('protects it from being deleted and rebuilt', async () => {
    await hcloud('server', 'enable-protection', name, 'delete', 'rebuild');
    expect((await theServer()).protection).toEqual({ delete: true, rebuild: true });
    await expect(hcloud('server', 'delete', name)).rejects.toThrow('protected');
    await expect(hcloud('server', 'rebuild', name, '--image', 'debian-12')).rejects.toThrow('protected');
    await hcloud('server', 'disable-protection', name, 'delete', 'rebuild');
    expect((await theServer()).protection).toEqual({ delete: false, rebuild: false });
  });

  it('detaches the volume, and attaches it again with all that is on it', async () => {
    const { id, linux_device: device } = await theVolume();
    await expect(hcloud('volume', 'delete', name)).rejects.toThrow(/attached/);
    await hcloud('volume', 'detach', name);
    expect(await theVolume()).toMatchObject({ id, server: null });
    expect(await onVolume(`ls ${device} /mnt/HC_Volume_${id} 2>/dev/null; grep HC_ /etc/fstab; true`)).toBe(
      '',
    );
    await hcloud('volume', 'attach', '--automount', '--server', name, name);
    expect(await onVolume(`cat /mnt/HC_Volume_${id}/kept`)).toBe('precious');
  });

  it('rebuilds it from another image, under the same name and key', async () => {
    await onServer(await theServer(), { privateKey }, 'touch /root/of-the-old-disk');
    const former = (await theServer()).servery.host_key;
    await hcloud('server', 'rebuild', name, '--image', 'debian-12');
    const server = await theServer();
    expect(server.image?.name).toBe('debian-12');
    expect(server.servery.host_key).not.toBe(former);
    expect(await onServer(server, { privateKey }, 'hostname; ls /root')).toBe(name);
    const { id, linux_device: device } = await theVolume();
    const read = `mkdir /mnt/old && mount ${device} /mnt/old && cat /mnt/old/kept`;
    expect([server.volumes, await onVolume(read)]).toEqual([[id], 'precious']);
    expect(server.servery.access.map(({ service }) => service)).toEqual(['ssh']);
  });

  it('backs it up, and names, keeps and deletes what is made of it', async () => {
    const idOf = (output: string) => /Image (\d+) created/.exec(output)?.[1] ?? '';
    await hcloud('server', 'enable-backup', name);
    expect((await theServer()).backup_window).toMatch(/^\d\d-\d\d$/);
    const backup = idOf(await hcloud('server', 'create-image', '--type', 'backup', name));
    expect(await hcloud('image', 'list', '-t', 'backup', '-o', 'noheader', '-o', 'columns=id')).toContain(
      backup,
    );
    await hcloud('image', 'update', backup, '--type', 'snapshot', '--description', 'kept');
    await hcloud('server', 'disable-backup', name);
    expect(JSON.parse(await hcloud('image', 'describe', backup, '-o', 'json'))).toMatchObject({
      type: 'snapshot',
      status: 'available',
      description: 'kept',
    });
    await hcloud('image', 'delete', backup);
    await expect(hcloud('image', 'describe', backup)).rejects.toThrow();
  });

  it('rebuilds it from a snapshot of it, with all that was on it then', async () => {
    await onServer(await theServer(), { privateKey }, 'echo precious > /root/kept; sync');
    const output = await hcloud('server', 'create-image', '--type', 'snapshot', name);
    const snapshot = /Image (\d+) created/.exec(output)?.[1] ?? '';
    await onServer(await theServer(), { privateKey }, 'rm /root/kept');
    await hcloud('server', 'rebuild', name, '--image', snapshot);
    expect(await onServer(await theServer(), { privateKey }, 'cat /root/kept')).toBe('precious');
    await hcloud('image', 'delete', snapshot);
  });

  it('deletes it', async () => {
    await hcloud('server', 'delete', name);
    await expect.poll(() => findServers(name), { timeout: 120_000, interval: 1000 }).toEqual([]);
    expect(await listedStatus()).toBeUndefined();
  });

  it('keeps the volume, until that is deleted as well, which its protection forbids', async () => {
    expect(await theVolume()).toMatchObject({ server: null, size: 2 });
    await hcloud('volume', 'enable-protection', name, 'delete');
    await expect(hcloud('volume', 'delete', name)).rejects.toThrow(/protected/);
    await hcloud('volume', 'disable-protection', name, 'delete');
    await hcloud('volume', 'delete', name);
    expect(await hcloud('volume', 'list', '-o', 'noheader', '-o', 'columns=name')).not.toContain(name);
  });
});
