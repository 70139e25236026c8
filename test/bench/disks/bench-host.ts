import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { HostRef, Hypervisor } from '#libs/hypervisor';
import { LibvirtHypervisor } from '#libs/hypervisor/libvirt';
import { requireInit } from '../../lab/host-processes.ts';
import { startLab } from '../../lab/index.ts';
import { hostLayout, labLayout } from '../../lab/layout.ts';
import { withBenchFolder } from '../bench-folder.ts';
import { type BenchImage, buildBenchImage } from './bench-image.ts';

const run = promisify(execFile);

/** A lab host with the bench's image on it, and QEMU's own tools where that host's disks lie. */
export interface BenchHost {
  readonly hypervisor: Hypervisor;
  readonly host: HostRef;
  readonly image: BenchImage;
  /** A folder of this machine for files that come from the host. */
  readonly folder: string;
  /** The path of a volume of the disk pool, as the host sees it. */
  pathOf(volume: string): Promise<string>;
  /** Runs a program of this machine with the host's files. */
  tool(program: 'qemu-img' | 'qemu-io' | 'rm' | 'sync', args: readonly string[]): Promise<string>;
}

/** Gives `work` a lab of one host, which is gone afterwards. */
export function withBenchHost(work: (bench: BenchHost) => Promise<void>): Promise<void> {
  return withBenchFolder(async ({ path: folder, atEnd }) => {
    const labFolder = join(folder, 'lab');
    const lab = await startLab({ folder: labFolder, hosts: 1 });
    atEnd(() => lab.stop({ purge: true }));
    const hypervisor = new LibvirtHypervisor({ installationId: 'bench' });
    atEnd(async () => hypervisor[Symbol.dispose]());
    const layout = labLayout(labFolder);
    const init = await requireInit(layout, hostLayout(layout, 1));
    const { hosts, pools, network } = lab.description;
    const host: HostRef = {
      ...{ id: 1, name: hosts[0]?.name ?? '', uri: hosts[0]?.uri ?? '', domainType: 'qemu' },
      ...{ imagePool: pools.images, diskPool: pools.disks, bridge: network.bridge },
    };
    const image = await buildBenchImage(folder);
    await hypervisor.importImage(host, image.file);
    const pathOf = async (volume: string) => {
      const { stdout } = await run('virsh', ['-c', host.uri, 'vol-path', '--pool', host.diskPool, volume]);
      return stdout.trim();
    };
    const tool: BenchHost['tool'] = async (program, args) => {
      const { stdout } = await run('nsenter', [`--mount=/proc/${init.pid}/ns/mnt`, program, ...args]);
      return stdout;
    };
    await work({ hypervisor, host, image, folder, pathOf, tool });
  });
}
