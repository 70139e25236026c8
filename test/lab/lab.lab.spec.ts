import { spawn } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { virsh } from './guest.fixture.ts';
import { type Lab, type LabHost, openLab, startLab, stopLab } from './index.ts';
import { labLayout } from './layout.ts';
import { listProcesses } from './processes.ts';
import { run, tryRun } from './run.ts';
import { deepFolder, killAll, pidsInLab, tracesOf } from './traces.fixture.ts';

let folder: string;
let lab: Lab;
let first: LabHost;
let second: LabHost;

beforeAll(async () => {
  folder = await deepFolder();
  lab = await startLab({ folder, hosts: 2, diskGib: 1 });
  [first, second] = lab.hosts as [LabHost, LabHost];
});

afterAll(async () => {
  await stopLab(folder, { purge: true });
  await rm(folder.split('/').slice(0, 3).join('/'), { recursive: true });
});

const states = async () => (await lab.status()).hosts.map((host) => host.state);

describe('a lab of two hosts', () => {
  it('answers as two machines', async () => {
    expect(await states()).toEqual(['running', 'running']);
    const names = await Promise.all(lab.hosts.map((host) => virsh(host, 'hostname')));
    expect(names.map((name) => name.trim())).toEqual(['kvm1', 'kvm2']);
    const uuids = await Promise.all(
      lab.hosts.map(async (host) => /<uuid>(.*)<\/uuid>/.exec(await virsh(host, 'capabilities'))?.[1]),
    );
    expect(uuids).toEqual([first.uuid, second.uuid]);
    expect(new Set(uuids).size).toBe(2);
  });

  it('has its pools running, its filters loaded, and disks of its own', async () => {
    for (const host of lab.hosts) {
      expect((await virsh(host, 'pool-list', '--name')).trim().split(/\s+/)).toEqual([
        'servery-disks',
        'servery-images',
        'servery-shared',
      ]);
      expect(await virsh(host, 'nwfilter-list')).toContain('clean-traffic');
    }
    await virsh(first, 'vol-create-as', 'servery-disks', 'own', '1M');
    await virsh(first, 'vol-create-as', 'servery-shared', 'common', '1M');
    await Promise.all(['servery-disks', 'servery-shared'].map((pool) => virsh(second, 'pool-refresh', pool)));
    expect(await virsh(second, 'vol-list', 'servery-disks')).not.toContain('own');
    expect(await virsh(second, 'vol-list', 'servery-shared')).toContain('common');
  });

  it('puts no link and no address into the network of this machine', async () => {
    const shown = await run('ip', ['address', 'show']);
    expect(shown).not.toMatch(/10\.7[78]\.0\./);
    expect(shown).not.toContain(labLayout(folder).hash);
  });

  it('stays as it is when it is started again, also by two at once', async () => {
    const before = await pidsInLab(folder);
    await Promise.all([startLab({ folder }), startLab({ folder, hosts: 2 })]);
    expect(await pidsInLab(folder)).toEqual(before);
  });

  it('refuses to lose a host, and a host that it does not know', async () => {
    await expect(startLab({ folder, hosts: 1 })).rejects.toMatchObject({ code: 'bad_argument' });
    await expect(startLab({ folder, hosts: 65 })).rejects.toMatchObject({ code: 'bad_argument' });
    await expect(lab.kill('kvm9')).rejects.toMatchObject({ code: 'host_unknown' });
    await expect(openLab(`${folder}/nowhere`)).rejects.toMatchObject({ code: 'no_lab' });
  });
});

describe('levers', () => {
  it('kill and heal', async () => {
    await lab.kill('kvm1');
    expect(await states()).toEqual(['off', 'running']);
    expect(await tryRun('virsh', ['-c', first.uri, 'uri'])).toBeUndefined();
    await expect(lab.cut('kvm1')).rejects.toMatchObject({ code: 'host_not_running' });
    await lab.heal('kvm1');
    expect(await states()).toEqual(['running', 'running']);
    expect(await virsh(first, 'vol-list', 'servery-disks')).toContain('own');
  });

  it('cut and heal', async () => {
    expect(await hostReachesHost()).toBe(true);
    await lab.cut('kvm2');
    expect(await states()).toEqual(['running', 'cut']);
    expect(await tryRun('virsh', ['-c', second.uri, 'uri'])).toBeUndefined();
    expect(await hostReachesHost()).toBe(false);
    await lab.heal('kvm2');
    expect(await states()).toEqual(['running', 'running']);
    expect(await hostReachesHost()).toBe(true);
  });

  it('freeze and thaw', async () => {
    await lab.freeze('kvm1');
    expect(await states()).toEqual(['frozen', 'running']);
    expect(await tryRun('virsh', ['-c', first.uri, 'uri'], 2)).toBeUndefined();
    await lab.thaw('kvm1');
    expect(await states()).toEqual(['running', 'running']);
  });

  it('fill and heal', async () => {
    await lab.fill('kvm1');
    expect((await lab.status()).hosts.map((host) => host.full)).toEqual([true, false]);
    const create = (host: LabHost) =>
      virsh(host, 'vol-create-as', 'servery-disks', 'large', '200M', '--allocation', '200M');
    await expect(create(first)).rejects.toThrow(/No space left/);
    await create(second);
    await lab.heal('kvm1');
    await create(first);
  });

  async function hostReachesHost(): Promise<boolean> {
    const uri = `qemu+tcp://${second.address}/system`;
    const { hash } = labLayout(folder);
    return (
      (await tryRun('nsenter', [`--net=/run/netns/sv${hash}-kvm1`, 'virsh', '-c', uri, 'uri'], 3)) !==
      undefined
    );
  }
});

describe('what breaks by itself', () => {
  it.each(['libvirtd', 'virtlogd', 'gateway.main.ts', 'relay.main.ts'])(
    'comes back after kill -9 of %s',
    async (name) => {
      const inLab = new Set(await pidsInLab(folder));
      const victims = (await listProcesses()).filter(({ pid, argv }) =>
        argv[0] === name ? inLab.has(pid) : (argv.at(-2)?.endsWith(name) ?? false) && argv.at(-1) === folder,
      );
      expect(victims.length).toBeGreaterThan(0);
      await killAll(victims.map(({ pid }) => pid));
      lab = await startLab({ folder });
      expect(await lab.status()).toMatchObject({ gateway: true, relay: true });
      expect(await states()).toEqual(['running', 'running']);
    },
  );

  it('comes back after a reboot, which leaves plain files where namespaces were', async () => {
    await killAll(await pidsInLab(folder));
    const { hash, relaySocket } = labLayout(folder);
    for (const name of ['net', 'kvm1', 'kvm2']) {
      await run('ip', ['netns', 'delete', `sv${hash}-${name}`]);
      await run('mkdir', ['-p', '/run/netns']);
      await writeFile(`/run/netns/sv${hash}-${name}`, '');
    }
    await rm(relaySocket);
    lab = await startLab({ folder });
    expect(await lab.status()).toMatchObject({ gateway: true, relay: true });
    expect(await states()).toEqual(['running', 'running']);
    expect(await virsh(first, 'vol-list', 'servery-disks')).toContain('own');
  });

  it('moves a host into its new network when the old one was deleted', async () => {
    await run('ip', ['netns', 'delete', `sv${labLayout(folder).hash}-kvm1`]);
    lab = await startLab({ folder });
    expect(await states()).toEqual(['running', 'running']);
  });
});

describe('a switch that was deleted', () => {
  it('is built again, with every host plugged in', async () => {
    await run('ip', ['netns', 'delete', `sv${labLayout(folder).hash}-net`]);
    lab = await startLab({ folder });
    expect(await lab.status()).toMatchObject({ gateway: true, relay: true });
    expect(await states()).toEqual(['running', 'running']);
    for (const name of ['kvm1', 'kvm2']) {
      const links = await run('ip', [
        '-n',
        `sv${labLayout(folder).hash}-${name}`,
        'link',
        'show',
        'master',
        'br0',
      ]);
      expect(links).toContain('uplink');
    }
  });
});

describe('down', () => {
  it('leaves nothing, also when it is run again', async () => {
    const pids = await pidsInLab(folder);
    expect(await tracesOf(folder, pids)).not.toEqual([]);
    await lab.stop();
    expect(await tracesOf(folder, pids)).toEqual([]);
    await lab.stop();
  });

  it.each([
    ['network', 0],
    ['hosts', 0],
    ['hosts', 200],
    ['hosts', 500],
    ['gateway', 0],
    ['gateway', 100],
  ])(
    'clears a lab whose start was killed in the step "%s", %i ms after it began',
    async (step, milliseconds) => {
      const script = fileURLToPath(new URL('main.ts', import.meta.url));
      const child = spawn(process.execPath, ['--conditions=source', script, 'up', '--folder', folder]);
      const ended = new Promise((resolve) => child.once('exit', resolve));
      for await (const chunk of child.stderr) if (String(chunk).includes(`lab: ${step}`)) break;
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
      child.kill('SIGKILL');
      await ended;
      const pids = await pidsInLab(folder);
      await stopLab(folder);
      expect(await tracesOf(folder, pids)).toEqual([]);
    },
  );
});
