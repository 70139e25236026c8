import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Lab, startLab } from '../../../test/lab/index.ts';
import { labLayout } from '../../../test/lab/layout.ts';
import { buildTinyGuest } from '../../../test/lab/tiny-guest.ts';
import { describeHypervisor, ISO_TEXT } from '../conformance/index.ts';
import { NetworkGuestReach, parseGuestProxy } from '../guest/index.ts';
import type { HostRef } from '../port/hosts.ts';
import type { ImageFile } from '../port/images.ts';
import { LibvirtHypervisor } from './index.ts';

const run = promisify(execFile);

/** Where isolated guests may not go, and where they may. */
const OUTSIDE = ['10.77.0.1', '10.77.0.2'] as const;
const OUTSIDE_PORT = 7000;

let folder: string;
let lab: Lab;
let outside: ChildProcess;
const drivers: LibvirtHypervisor[] = [];

async function emptyImage(): Promise<ImageFile> {
  const path = join(folder, 'large.qcow2');
  await run('qemu-img', ['create', '-q', '-f', 'qcow2', path, '3G']);
  const sha256 = createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
  return { volumeName: 'large', path, format: 'qcow2', sha256, virtualSizeBytes: 3 * 1024 ** 3 };
}

async function isoImage(): Promise<ImageFile> {
  const path = join(folder, 'disc.iso');
  await writeFile(path, ISO_TEXT);
  const sha256 = createHash('sha256').update(ISO_TEXT).digest('hex');
  return { volumeName: 'disc.iso', path, format: 'raw', sha256, virtualSizeBytes: ISO_TEXT.length };
}

function driver(installationId: string): LibvirtHypervisor {
  const made = new LibvirtHypervisor({ installationId, isolatedAllows: [`${OUTSIDE[1]}/32`] });
  drivers.push(made);
  return made;
}

/** A service at the lab's switch, which is the world to guests. */
async function serveOutside(): Promise<void> {
  const { namespace } = labLayout(join(folder, 'lab'));
  await run('ip', ['-n', namespace, 'address', 'add', `${OUTSIDE[1]}/24`, 'dev', 'guests']);
  const service = `require('node:net').createServer((c) => c.on('error', () => {}).end('outside')).listen(${OUTSIDE_PORT}, '0.0.0.0', () => console.log('up'))`;
  outside = spawn('nsenter', [`--net=/run/netns/${namespace}`, process.execPath, '-e', service], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise((resolve) => outside.stdout?.once('data', resolve));
}

describeHypervisor(
  'libvirt on a lab host',
  async () => {
    folder = await mkdtemp(join(tmpdir(), 'servery-hypervisor-'));
    lab = await startLab({ folder: join(folder, 'lab'), hosts: 2 });
    await serveOutside();
    const { hosts, pools, network, guestProxy } = lab.description;
    const host: HostRef = {
      id: 1,
      name: hosts[0]?.name ?? '',
      uri: hosts[0]?.uri ?? '',
      domainType: 'qemu',
      imagePool: pools.images,
      diskPool: pools.disks,
      bridge: network.bridge,
    };
    const neighbour = { ...host, id: 3, name: hosts[1]?.name ?? '', uri: hosts[1]?.uri ?? '' };
    return {
      hypervisor: driver('here'),
      stranger: driver('elsewhere'),
      reach: new NetworkGuestReach(parseGuestProxy(guestProxy)),
      host,
      sharing: [
        { ...host, diskPool: pools.shared },
        { ...neighbour, diskPool: pools.shared },
      ],
      cutPower: async () => {
        await lab.kill(host.name);
        await lab.heal(host.name);
      },
      deadHost: { ...host, id: 2, name: 'dead', uri: `qemu+unix:///system?socket=${folder}/no-such-socket` },
      image: { volumeName: 'tiny', ...(await buildTinyGuest('.servery-test/tiny')) },
      largeImage: await emptyImage(),
      isoImage: await isoImage(),
      network: { address: network.firstGuest, prefixLength: network.prefixLength, gateway: network.gateway },
      outside: { refused: OUTSIDE[0], allowed: OUTSIDE[1], port: OUTSIDE_PORT },
      bootSeconds: 400,
    };
  },
  async () => {
    for (const made of drivers) made[Symbol.dispose]();
    outside?.kill('SIGKILL');
    await lab?.stop({ purge: true });
    await rm(folder, { recursive: true, force: true });
  },
);
