import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { XMLBuilder } from 'fast-xml-parser';
import { stringify } from 'yaml';
import type { LabHost } from './index.ts';
import { POOLS } from './layout.ts';
import { run, tryRun } from './run.ts';
import type { TinyGuest } from './tiny-guest.ts';

export interface GuestPlan {
  readonly name: string;
  readonly address: string;
  /** Address that the network filter allows; another than `address` makes the guest a liar. */
  readonly allowedAddress?: string;
  /** More of the seed's user data, such as root's SSH keys. */
  readonly userData?: Readonly<Record<string, unknown>>;
}

export const virsh = (host: LabHost, ...args: string[]) => run('virsh', ['-c', host.uri, ...args], 60);

/** Brings the image, a seed and a domain to a host by virsh alone, and starts it. */
export async function startGuest(host: LabHost, image: TinyGuest, plan: GuestPlan): Promise<void> {
  await upload(host, POOLS.images, 'tiny.qcow2', image.path, image.virtualSizeBytes, 'qcow2');
  const work = await mkdtemp('/tmp/servery-seed-');
  try {
    await writeFile(
      `${work}/meta-data`,
      stringify({ 'instance-id': plan.name, 'local-hostname': plan.name }),
    );
    await writeFile(
      `${work}/user-data`,
      `#cloud-config\n${stringify({ hostname: plan.name, ...plan.userData })}`,
    );
    await writeFile(`${work}/network-config`, stringify(networkConfig(plan.address)));
    await run('xorrisofs', [
      '-quiet',
      '-R',
      '-V',
      'CIDATA',
      '-o',
      `${work}/seed.iso`,
      `${work}/meta-data`,
      `${work}/user-data`,
      `${work}/network-config`,
    ]);
    await upload(host, POOLS.disks, `${plan.name}-seed.iso`, `${work}/seed.iso`, 1024 * 1024, 'raw');
    await overlay(host, `${plan.name}.qcow2`);
    await writeFile(`${work}/domain.xml`, domainXml(plan));
    await virsh(host, 'define', `${work}/domain.xml`);
  } finally {
    await rm(work, { recursive: true });
  }
  await virsh(host, 'start', plan.name);
}

/** Whether the guest agent answers. */
export async function agentAnswers(host: LabHost, name: string): Promise<boolean> {
  const answer = await tryRun(
    'virsh',
    ['-c', host.uri, 'qemu-agent-command', name, '--timeout', '2', '{"execute":"guest-ping"}'],
    10,
  );
  return answer !== undefined;
}

function networkConfig(address: string) {
  const routes = [{ to: 'default', via: '10.77.0.1' }];
  return { version: 2, ethernets: { eth0: { match: { name: 'e*' }, addresses: [`${address}/24`], routes } } };
}

async function upload(
  host: LabHost,
  pool: string,
  volume: string,
  file: string,
  bytes: number,
  format: string,
): Promise<void> {
  if (await tryRun('virsh', ['-c', host.uri, 'vol-info', volume, '--pool', pool])) return;
  await virsh(host, 'vol-create-as', pool, volume, `${bytes}b`, '--format', format);
  await virsh(host, 'vol-upload', volume, file, '--pool', pool);
  await virsh(host, 'pool-refresh', pool);
}

async function overlay(host: LabHost, volume: string): Promise<void> {
  const backing = (await virsh(host, 'vol-path', 'tiny.qcow2', '--pool', POOLS.images)).trim();
  const over = ['--backing-vol', backing, '--backing-vol-format', 'qcow2'];
  await virsh(host, 'vol-create-as', POOLS.disks, volume, '64M', '--format', 'qcow2', ...over);
}

function domainXml({ name, address, allowedAddress = address }: GuestPlan): string {
  const disk = (volume: string, type: string, dev: string) => ({
    '@type': 'volume',
    '@device': 'disk',
    driver: { '@name': 'qemu', '@type': type },
    source: { '@pool': POOLS.disks, '@volume': volume },
    target: { '@dev': dev, '@bus': 'virtio' },
  });
  const domain = {
    '@type': 'qemu',
    name,
    memory: { '@unit': 'MiB', '#text': 192 },
    vcpu: 1,
    os: { type: { '@arch': 'x86_64', '@machine': 'q35', '#text': 'hvm' } },
    features: { acpi: {} },
    cpu: { '@mode': 'maximum' },
    devices: {
      disk: [disk(`${name}.qcow2`, 'qcow2', 'vda'), disk(`${name}-seed.iso`, 'raw', 'vdb')],
      interface: {
        '@type': 'bridge',
        source: { '@bridge': 'br0' },
        model: { '@type': 'virtio' },
        filterref: { '@filter': 'clean-traffic', parameter: { '@name': 'IP', '@value': allowedAddress } },
      },
      serial: { '@type': 'file', source: { '@path': `/var/log/libvirt/qemu/${name}-console.log` } },
      channel: { '@type': 'unix', target: { '@type': 'virtio', '@name': 'org.qemu.guest_agent.0' } },
      rng: { '@model': 'virtio', backend: { '@model': 'random', '#text': '/dev/urandom' } },
    },
  };
  return new XMLBuilder({ ignoreAttributes: false, attributeNamePrefix: '@' }).build({ domain });
}
