import { cp, mkdir, stat, truncate, writeFile } from 'node:fs/promises';
import { LabError } from './lab.errors.ts';
import type { HostLayout } from './layout.ts';
import { run } from './run.ts';

/** Writes what a host has on its "system disk": libvirt's settings and its folders. Repeating it is harmless. */
export async function installHost(host: HostLayout, diskGib: number | undefined): Promise<void> {
  for (const folder of ['etc', 'lib', 'log/qemu', 'cache'])
    await mkdir(`${host.folder}/${folder}`, { recursive: true });
  await installFilters(host);
  await writeFile(`${host.folder}/etc/libvirtd.conf`, libvirtdSettings(host));
  await writeFile(`${host.folder}/etc/qemu.conf`, QEMU_SETTINGS);
  await writeFile(`${host.folder}/etc/virtlogd.conf`, '');
  if (diskGib !== undefined) await makePoolDisk(`${host.folder}/pools.ext4`, diskGib);
}

/** TCP without authentication is for live migration; it listens where only hosts of this lab can reach it. */
function libvirtdSettings(host: HostLayout): string {
  return settings({
    host_uuid: host.uuid,
    auth_unix_rw: 'none',
    auth_unix_ro: 'none',
    unix_sock_group: 'root',
    unix_sock_rw_perms: '0700',
    listen_tls: 0,
    listen_tcp: 1,
    listen_addr: host.address,
    auth_tcp: 'none',
  });
}

/** Guests run as root without confinement: the lab is for trying, and folders of tests belong to root. */
const QEMU_SETTINGS = `${settings({ security_driver: 'none', user: 'root', group: 'root', dynamic_ownership: 0, vnc_listen: '127.0.0.1' })}cgroup_controllers = []
namespaces = []
`;

function settings(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} = ${JSON.stringify(value)}\n`)
    .join('');
}

/** Libvirt's stock network filters (clean-traffic and its parts), which Debian keeps among its settings. */
async function installFilters(host: HostLayout): Promise<void> {
  for (const source of ['/usr/share/libvirt/nwfilter', '/etc/libvirt/nwfilter']) {
    const stock = await stat(`${source}/clean-traffic.xml`).catch(() => undefined);
    if (!stock) continue;
    await cp(source, `${host.folder}/etc/nwfilter`, { recursive: true, force: false });
    return;
  }
  throw new LabError(
    'packages_missing',
    "Libvirt's stock network filters are missing. Run: apt-get install libvirt-daemon-config-nwfilter",
  );
}

/** A sparse file with a file system of `gib` GiB: a host whose disk can really be full. */
async function makePoolDisk(path: string, gib: number): Promise<void> {
  if (await stat(path).catch(() => undefined)) return;
  await writeFile(`${path}.part`, '');
  await truncate(`${path}.part`, gib * 1024 ** 3);
  await run(
    'mkfs.ext4',
    ['-q', '-m', '0', '-E', 'lazy_itable_init=1,lazy_journal_init=1', `${path}.part`],
    60,
  );
  await run('mv', [`${path}.part`, path]);
}
