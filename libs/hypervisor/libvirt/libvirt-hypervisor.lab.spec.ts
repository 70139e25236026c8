import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Lab, startLab } from '../../../test/lab/index.ts';
import { buildTinyGuest } from '../../../test/lab/tiny-guest.ts';
import { describeHypervisor } from '../conformance/index.ts';
import { NetworkGuestReach, parseGuestProxy } from '../guest/index.ts';
import type { HostRef, ImageFile } from '../port.ts';
import { LibvirtHypervisor } from './index.ts';

const run = promisify(execFile);

let folder: string;
let lab: Lab;
const drivers: LibvirtHypervisor[] = [];

async function emptyImage(): Promise<ImageFile> {
  const path = join(folder, 'large.qcow2');
  await run('qemu-img', ['create', '-q', '-f', 'qcow2', path, '3G']);
  const sha256 = createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
  return { volumeName: 'large', path, format: 'qcow2', sha256, virtualSizeBytes: 3 * 1024 ** 3 };
}

function driver(installationId: string): LibvirtHypervisor {
  const made = new LibvirtHypervisor({ installationId });
  drivers.push(made);
  return made;
}

describeHypervisor(
  'libvirt on a lab host',
  async () => {
    folder = await mkdtemp(join(tmpdir(), 'servery-hypervisor-'));
    lab = await startLab({ folder: join(folder, 'lab'), hosts: 1 });
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
    return {
      hypervisor: driver('here'),
      stranger: driver('elsewhere'),
      reach: new NetworkGuestReach(parseGuestProxy(guestProxy)),
      host,
      deadHost: { ...host, id: 2, name: 'dead', uri: `qemu+unix:///system?socket=${folder}/no-such-socket` },
      image: { volumeName: 'tiny', ...(await buildTinyGuest('.servery-test/tiny')) },
      largeImage: await emptyImage(),
      network: { address: network.firstGuest, prefixLength: network.prefixLength, gateway: network.gateway },
      bootSeconds: 400,
    };
  },
  async () => {
    for (const made of drivers) made[Symbol.dispose]();
    await lab?.stop({ purge: true });
    await rm(folder, { recursive: true, force: true });
  },
);
