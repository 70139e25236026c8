import { basename } from 'node:path';
import { mibToKib } from '#libs/kernel';
import type { AttachedVolume } from '../port/block-volumes.ts';
import type { ConsoleKind, DomainFacts, DomainSpec, NetworkState } from '../port/domains.ts';
import type { DomainType, HostRef } from '../port/hosts.ts';
import { ISOLATION_FILTER_PREFIX } from './isolation-filter.ts';
import { writeXml, XmlElement, type XmlTree } from './xml.ts';

/** Namespace of our mark in a domain's metadata. */
export const MARK_NAMESPACE = 'urn:servery:domain:1';
/** What libvirt calls a guest's own disk, and the seed, on each bus. */
const TARGETS = {
  virtio: ['vda', 'vdb'],
  sata: ['sda', 'sdb'],
  ide: ['hda', 'hdb'],
} as const satisfies Record<DomainSpec['diskBus'], readonly [string, string]>;

/** True for the name of a guest's own disk. */
export function isOwnDisk(target: string): boolean {
  return Object.values(TARGETS).some(([disk]) => disk === target);
}

/** The rescue system and its seed, behind a guest's own disk, so that this is the first one there too. */
const RESCUE_TARGETS = ['vdc', 'vdd'] as const;

/** Behind those of all volumes. */
const CD_TARGET = 'sdz';

/** What is tried first at a boot. QEMU looks at it anew whenever the machine is reset, so an ISO image can come and go. */
const BOOT_ORDER = { rescue: 1, iso: 2, disk: 3 } as const;

/** Behind the names of a guest's own disk and its seed on any bus, so that none is taken for them. */
const FIRST_VOLUME_TARGET = 'c'.charCodeAt(0);

/** Names of libvirt's filters for guests that are free to speak, and of ours for those that may only answer. */
export interface CardFilters {
  readonly open: string;
  readonly isolated: string;
}

/** Name of the channel that libvirt opens as a guest's screen. */
export const SCREEN_CHANNEL = 'org.servery.screen.0';

/** A domain's definition. It boots its disk, where it has nothing to boot before. */
export function domainXml(
  host: HostRef,
  spec: DomainSpec,
  installationId: string,
  filters: CardFilters,
): string {
  return writeXml({
    domain: {
      '@type': host.domainType,
      name: spec.name,
      uuid: spec.uuid,
      metadata: {
        'servery:server': {
          '@xmlns:servery': MARK_NAMESPACE,
          '@id': spec.serverId,
          '@installation': installationId,
        },
      },
      memory: { '@unit': 'KiB', '#text': mibToKib(spec.memoryMib) },
      vcpu: spec.vcpus,
      os: osOf(spec),
      features: { acpi: {}, apic: {} },
      cpu: cpu(host.domainType),
      clock: { '@offset': 'utc', timer: timers() },
      on_poweroff: 'destroy',
      on_reboot: 'restart',
      on_crash: 'destroy',
      devices: devices(host, spec, filters),
    },
  });
}

/** OVMF without secure boot, which needs SMM and a loader that is signed by the one vendor whom it knows. */
function osOf({ firmware, diskBus }: DomainSpec): XmlTree {
  const type = { '@arch': 'x86_64', '@machine': diskBus === 'ide' ? 'pc' : 'q35', '#text': 'hvm' };
  if (firmware === 'bios') return { type };
  const secureBoot = ['enrolled-keys', 'secure-boot'].map((name) => ({ '@enabled': 'no', '@name': name }));
  return { '@firmware': 'efi', type, firmware: { feature: secureBoot } };
}

/** What a CPU of the level x86-64-v2 has beyond QEMU's plain one (x86-64 psABI, 3.1.1). */
const V2_FEATURES = ['cx16', 'lahf_lm', 'popcnt', 'sse4.1', 'sse4.2', 'ssse3'];

/**
 * `host-model` can be moved between hosts alike enough, which `host-passthrough` cannot. Emulation costs by what it
 * pretends: a guest boots a fifth faster on a plain CPU with the level that today's distributions want than on all
 * that QEMU can emulate.
 */
function cpu(domainType: DomainType): XmlTree {
  if (domainType === 'kvm') return { '@mode': 'host-model' };
  return {
    '@mode': 'custom',
    '@match': 'exact',
    '@check': 'none',
    model: { '@fallback': 'forbid', '#text': 'qemu64' },
    feature: V2_FEATURES.map((name) => ({ '@policy': 'require', '@name': name })),
  };
}

function timers(): XmlTree[] {
  return [
    { '@name': 'rtc', '@tickpolicy': 'catchup' },
    { '@name': 'pit', '@tickpolicy': 'delay' },
    { '@name': 'hpet', '@present': 'no' },
  ];
}

function devices(host: HostRef, spec: DomainSpec, filters: CardFilters): XmlTree {
  const consoleLog = `/var/log/libvirt/qemu/${spec.name}-console.log`;
  const bus = spec.diskBus;
  const [diskTarget, seedTarget] = TARGETS[bus];
  return {
    disk: [
      disk(host.diskPool, spec.diskVolume, {
        type: 'qcow2',
        target: diskTarget,
        bus,
        bootOrder: BOOT_ORDER.disk,
      }),
      ...(spec.seedVolume === undefined
        ? []
        : [disk(host.diskPool, spec.seedVolume, { type: 'raw', target: seedTarget, bus })]),
      ...rescueDisks(host.diskPool, spec),
      ...(spec.volumes ?? []).map((volume) => volumeDisk(host.diskPool, volume)),
      ...(spec.iso === undefined ? [] : [cdDrive(host.imagePool, spec.iso)]),
    ],
    controller: [{ '@type': 'usb', '@model': 'none' }, ...(bus === 'virtio' ? [VOLUME_CONTROLLER] : [])],
    interface: card(host, {
      mac: spec.mac,
      ipv4: spec.ipv4,
      model: spec.nicModel === 'e1000e' && bus === 'ide' ? 'e1000' : spec.nicModel,
      filter: spec.network === 'isolated' ? filters.isolated : filters.open,
      isPlugged: spec.network !== 'closed',
    }),
    serial: { '@type': 'pty', log: { '@file': consoleLog, '@append': 'on' }, target: { '@port': '0' } },
    console: { '@type': 'pty', target: { '@type': 'serial', '@port': '0' } },
    channel: [
      { '@type': 'unix', target: { '@type': 'virtio', '@name': 'org.qemu.guest_agent.0' } },
      {
        '@type': 'unix',
        source: { '@mode': 'bind', '@path': screenSocket(spec) },
        target: { '@type': 'virtio', '@name': SCREEN_CHANNEL },
      },
    ],
    graphics: { '@type': 'vnc', listen: { '@type': 'socket', '@socket': screenSocket(spec) } },
    video: { model: { '@type': 'vga', '@vram': '16384' } },
    memballoon: { '@model': 'virtio' },
    rng: { '@model': 'virtio', backend: { '@model': 'random', '#text': '/dev/urandom' } },
  };
}

/**
 * libvirt has no stream to a screen that leads to another machine, but one to a channel: it connects to the channel's
 * socket. It makes that socket before it starts QEMU, whose screen then listens at the same path, in its place: what opens
 * the channel finds the screen, and the guest's end of the channel leads nowhere. No port is opened on the host. The folder
 * is one that libvirt gives to QEMU's user, and where it leaves our path as it is.
 */
function screenSocket({ name }: DomainSpec): string {
  return `/var/cache/libvirt/qemu/${name}-screen.sock`;
}

interface Card {
  readonly mac: string;
  readonly ipv4: string;
  /** As libvirt names it: `virtio`, `e1000e`. */
  readonly model: string;
  readonly filter: string;
  readonly isPlugged: boolean;
}

/** A network card alone, as `virsh update-device` takes it. */
export function cardXml(host: HostRef, wanted: Card): string {
  return writeXml({ interface: card(host, wanted) });
}

function card(host: HostRef, { mac, ipv4, model, filter, isPlugged }: Card): XmlTree {
  return {
    '@type': 'bridge',
    mac: { '@address': mac },
    source: { '@bridge': host.bridge },
    model: { '@type': model },
    link: { '@state': isPlugged ? 'up' : 'down' },
    filterref: { '@filter': filter, parameter: { '@name': 'IP', '@value': ipv4 } },
    rom: { '@enabled': 'no' },
  };
}

/**
 * Write-back shares the golden image in the host's page cache among all that boot from it, and keeps the
 * guest's flushes. The seed is no CD drive, for Debian's cloud kernel has no SATA driver: it hangs where the disk does. An
 * IDE disk can be neither read-only nor taken away while the guest runs.
 */
function disk(
  pool: string,
  volume: string,
  as: { type: 'qcow2' | 'raw'; target: string; bus: DomainSpec['diskBus']; bootOrder?: number },
): XmlTree {
  return {
    '@type': 'volume',
    '@device': 'disk',
    driver: { '@name': 'qemu', '@type': as.type, '@cache': 'writeback', '@discard': 'unmap' },
    source: { '@pool': pool, '@volume': volume },
    target: { '@dev': as.target, '@bus': as.bus },
    ...(as.bootOrder === undefined
      ? as.bus === 'virtio' && { readonly: {} }
      : { boot: { '@order': as.bootOrder } }),
  };
}

function rescueDisks(pool: string, { rescue, diskBus: bus }: DomainSpec): XmlTree[] {
  if (!rescue) return [];
  const { diskVolume, seedVolume } = rescue;
  const [target, seedTarget] = RESCUE_TARGETS;
  return [
    disk(pool, diskVolume, { type: 'qcow2', target, bus, bootOrder: BOOT_ORDER.rescue }),
    ...(seedVolume === undefined ? [] : [disk(pool, seedVolume, { type: 'raw', target: seedTarget, bus })]),
  ];
}

/** What volumes hang on: a guest that runs takes and loses a disk of it at any moment, which PCI wants it to agree to. */
const VOLUME_CONTROLLER: XmlTree = { '@type': 'scsi', '@index': '0', '@model': 'virtio-scsi' };

/** The controller alone, as `virsh attach-device` takes it. */
export function volumeControllerXml(): string {
  return writeXml({ controller: VOLUME_CONTROLLER });
}

/** A volume alone, as `virsh attach-device` takes it. */
export function volumeDiskXml(pool: string, volume: AttachedVolume): string {
  return writeXml({ disk: volumeDisk(pool, volume) });
}

/** Vendor and product are Hetzner's, for Linux makes the name of the device of them, and what finds it there finds it here. */
function volumeDisk(pool: string, { volumeName, serial, slot }: AttachedVolume): XmlTree {
  return {
    '@type': 'volume',
    '@device': 'disk',
    driver: { '@name': 'qemu', '@type': 'qcow2', '@cache': 'writeback', '@discard': 'unmap' },
    source: { '@pool': pool, '@volume': volumeName },
    target: { '@dev': `sd${String.fromCharCode(FIRST_VOLUME_TARGET + slot)}`, '@bus': 'scsi' },
    serial,
    vendor: 'HC',
    product: 'Volume',
    address: { '@type': 'drive', '@controller': '0', '@bus': '0', '@target': '0', '@unit': String(slot) },
  };
}

/** A CD drive with an ISO image alone, as `virsh attach-device` takes it. */
export function cdDriveXml(pool: string, volume: string): string {
  return writeXml({ disk: cdDrive(pool, volume) });
}

/**
 * Beside the volumes, where Debian's cloud kernel finds a drive too. Its format is said, for what somebody has put into an
 * ISO image is not believed about it.
 */
function cdDrive(pool: string, volume: string): XmlTree {
  return {
    '@type': 'volume',
    '@device': 'cdrom',
    driver: { '@name': 'qemu', '@type': 'raw' },
    source: { '@pool': pool, '@volume': volume },
    target: { '@dev': CD_TARGET, '@bus': 'scsi' },
    readonly: {},
    boot: { '@order': BOOT_ORDER.iso },
    address: { '@type': 'drive', '@controller': '0', '@bus': '0', '@target': '1', '@unit': '0' },
  };
}

/** What a domain's XML says of it. */
export interface DomainRecord {
  readonly uuid: string;
  readonly name: string;
  readonly owner: DomainFacts['owner'];
  readonly disks: readonly {
    readonly target: string;
    readonly isCd: boolean;
    /** After a freeze libvirt knows a disk by its path alone; a volume's file is called as the volume. */
    readonly volume: string;
    readonly path: string;
    /** By libvirt's numbers, the topmost first: what lies below the disk, as far as a running domain's XML tells. */
    readonly layers: readonly number[];
  }[];
  /** Volumes can be given to it without more. */
  readonly hasVolumeController: boolean;
  readonly cards: readonly (Card & { readonly network: NetworkState })[];
  readonly consoles: readonly ConsoleKind[];
}

export function readDomain(xml: string): DomainRecord {
  const domain = XmlElement.parse(xml).at('domain');
  return {
    uuid: domain.at('uuid').text,
    name: domain.at('name').text,
    owner: readMark(domain.at('metadata')),
    disks: domain
      .at('devices')
      .all('disk')
      .map((disk) => {
        const path = disk.at('source').attribute('file') ?? disk.at('source').attribute('dev') ?? '';
        return {
          target: disk.at('target').attribute('dev') ?? '',
          isCd: disk.attribute('device') === 'cdrom',
          volume: disk.at('source').attribute('volume') ?? basename(path),
          path,
          layers: layersBelow(disk),
        };
      }),
    hasVolumeController: domain
      .at('devices')
      .all('controller')
      .some((one) => one.attribute('type') === 'scsi' && one.attribute('model') === 'virtio-scsi'),
    cards: domain.at('devices').all('interface').map(readCard),
    consoles: readConsoles(domain.at('devices')),
  };
}

function readConsoles(devices: XmlElement): ConsoleKind[] {
  const hasSerial = devices.all('serial').some((one) => one.attribute('type') === 'pty');
  const hasScreen = devices
    .all('channel')
    .some((one) => one.at('target').attribute('name') === SCREEN_CHANNEL);
  return [...(hasSerial ? ['serial' as const] : []), ...(hasScreen ? ['vnc' as const] : [])];
}

function readCard(element: XmlElement): DomainRecord['cards'][number] {
  const filterref = element.at('filterref');
  const filter = filterref.attribute('filter') ?? '';
  const address = filterref.all('parameter').find((parameter) => parameter.attribute('name') === 'IP');
  const isPlugged = element.at('link').attribute('state') !== 'down';
  const spoken = filter.startsWith(ISOLATION_FILTER_PREFIX) ? 'isolated' : 'open';
  return {
    mac: element.at('mac').attribute('address') ?? '',
    ipv4: address?.attribute('value') ?? '',
    model: element.at('model').attribute('type') ?? 'virtio',
    filter,
    isPlugged,
    network: isPlugged ? spoken : 'closed',
  };
}

function layersBelow(disk: XmlElement): number[] {
  const next = disk.at('backingStore');
  const index = next.attribute('index');
  return index === undefined ? [] : [Number(index), ...layersBelow(next)];
}

function readMark(metadata: XmlElement): DomainFacts['owner'] {
  const mark = metadata.at('servery:server');
  const serverId = Number(mark.attribute('id'));
  const installationId = mark.attribute('installation');
  if (mark.attribute('xmlns:servery') !== MARK_NAMESPACE || installationId === undefined) return null;
  return Number.isSafeInteger(serverId) ? { serverId, installationId } : null;
}
