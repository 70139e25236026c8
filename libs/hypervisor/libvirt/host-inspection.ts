import { HypervisorError } from '../hypervisor.errors.ts';
import type { Firmware } from '../port/devices.ts';
import type { HostFacts, HostRef, PoolFacts } from '../port/hosts.ts';
import type { Virsh } from './virsh.ts';
import { classify } from './virsh-errors.ts';
import { XmlElement } from './xml.ts';

/** Asks a host what it is and has, in one connection. */
export async function inspectHost(virsh: Virsh, host: HostRef): Promise<HostFacts> {
  const { outputs, errors } = await virsh.script(host, [
    ['version', '--daemon'],
    ['hostname'],
    ['nodeinfo'],
    ['nodememstats'],
    ['capabilities'],
    ['pool-dumpxml', '--pool', host.imagePool],
    ['pool-dumpxml', '--pool', host.diskPool],
    ['nwfilter-dumpxml', '--nwfilter', 'clean-traffic'],
    ['domcapabilities', '--machine', 'q35'],
  ]);
  const [
    version = '',
    hostname = '',
    nodeInfo = '',
    memory = '',
    capabilities = '',
    images = '',
    disks = '',
    filter = '',
    domains = '',
  ] = outputs;
  const capabilitiesHost = XmlElement.parse(capabilities).at('capabilities', 'host');
  const imagePool = readPool(host, host.imagePool, images, errors);
  const diskPool = readPool(host, host.diskPool, disks, errors);
  if (filter.trim() === '') throw classify(host, errors, 'nwfilter-dumpxml');
  return {
    libvirtVersion: field(version, /Running against daemon: (\S+)/),
    hypervisorVersion: field(version, /Running hypervisor: (.+)/),
    hostUuid: capabilitiesHost.at('uuid').text,
    hostname: hostname.trim(),
    architecture: capabilitiesHost.at('cpu', 'arch').text,
    vcpus: Number(field(nodeInfo, /CPU\(s\):\s+(\d+)/)),
    memoryMib: Math.floor(Number(field(memory, /total\s*:\s+(\d+) KiB/)) / 1024),
    firmwares: readFirmwares(domains),
    imagePool,
    diskPool,
  };
}

/** BIOS comes with QEMU itself. */
function readFirmwares(capabilities: string): Firmware[] {
  const enums = XmlElement.parse(capabilities).at('domainCapabilities', 'os').all('enum');
  const known = enums.find((one) => one.attribute('name') === 'firmware')?.all('value') ?? [];
  return known.some(({ text }) => text === 'efi') ? ['bios', 'uefi'] : ['bios'];
}

function readPool(host: HostRef, name: string, xml: string, errors: string): PoolFacts {
  if (!xml.includes('<pool')) throw classify(host, errors, 'pool-dumpxml');
  const pool = XmlElement.parse(xml).at('pool');
  const capacityBytes = pool.at('capacity').number;
  if (capacityBytes > 0) return { name, capacityBytes, freeBytes: pool.at('available').number };
  const message = `Storage pool ${name} on ${host.name} is not started: start it and let it start by itself.`;
  throw new HypervisorError('host_misconfigured', message, { details: { host: host.name, pool: name } });
}

function field(text: string, pattern: RegExp): string {
  return pattern.exec(text)?.[1]?.trim() ?? '';
}
