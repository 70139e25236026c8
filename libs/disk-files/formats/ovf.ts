import type { MachineHints } from '../disk-facts.ts';
import { diskError } from '../disk-files.errors.ts';
import { type Element, elementsOf, parseXml, textOf } from './xml.ts';

export interface OvfDisk {
  readonly file: string;
  readonly capacityBytes: bigint;
}

export interface OvfDescription {
  /** Those that the machine has, in the order of its hardware. */
  readonly disks: readonly OvfDisk[];
  /** Every file that the description names. */
  readonly files: readonly string[];
  readonly machine: MachineHints;
}

const MAX_DISKS = 16;
const CPU = '3';
const MEMORY = '4';
const VMDK = /vmdk/i;

/** DMTF DSP0243 1.1. @throws DomainError `archive_description_invalid`, `disk_refers_elsewhere` */
export function readOvf(xml: string): OvfDescription {
  const root = parseXml(xml);
  const systems = elementsOf(root, 'VirtualSystem');
  const [system] = systems;
  if (root.name !== 'Envelope' || systems.length !== 1 || !system)
    throw invalid('it does not describe exactly one machine');
  const files = new Map(elementsOf(root, 'File').map((file) => [attribute(file, 'id'), fileOf(file)]));
  const described = new Map(
    elementsOf(root, 'Disk').map((disk) => [attribute(disk, 'diskId'), diskOf(disk, files)]),
  );
  const used = elementsOf(system, 'Item').flatMap(
    (item) => textOf(item, 'HostResource')?.match(/disk\/(.+)$/)?.[1] ?? [],
  );
  const disks = used.map((id) => described.get(id));
  const found = disks.filter((disk) => disk !== undefined);
  if (found.length !== disks.length || found.length === 0 || found.length > MAX_DISKS) {
    throw invalid('its machine has no disks, or some that are not described');
  }
  return { disks: found, files: [...files.values()], machine: hintsOf(system) };
}

/** A file within the archive: a name, and neither a path nor an address. */
function fileOf(file: Element): string {
  const href = attribute(file, 'href');
  if (/[/\\:]|^\.+$/.test(href)) {
    throw diskError(
      'disk_refers_elsewhere',
      'The archive’s description names files outside of it. Export the machine as one OVA file.',
    );
  }
  const compression = file.attributes.get('compression');
  if ((compression && compression !== 'identity') || file.attributes.has('chunkSize')) {
    throw invalid('its files are compressed or in chunks');
  }
  return href;
}

function diskOf(disk: Element, files: ReadonlyMap<string, string>): OvfDisk {
  if (disk.attributes.has('parentRef'))
    throw diskError(
      'disk_refers_elsewhere',
      'The archive’s disk stands on a parent disk. Consolidate it, and export it again.',
    );
  const file = files.get(attribute(disk, 'fileRef'));
  if (file === undefined) throw invalid('a disk of it has no file');
  if (!VMDK.test(attribute(disk, 'format'))) throw invalid('a disk of it is no VMDK');
  const capacity = attribute(disk, 'capacity');
  if (!/^\d{1,19}$/.test(capacity)) throw invalid('a disk’s capacity is no number');
  return {
    file,
    capacityBytes: BigInt(capacity) * unitBytes(disk.attributes.get('capacityAllocationUnits') ?? 'byte'),
  };
}

/** `byte * 2^30`, or the words of older exporters. */
function unitBytes(unit: string): bigint {
  const power = /^\s*byte\s*(?:\*\s*2\^(\d{1,2}))?\s*$/i.exec(unit);
  if (power) return 2n ** BigInt(power[1] ?? 0);
  const word = { kilobytes: 10n, megabytes: 20n, gigabytes: 30n }[unit.trim().toLowerCase()];
  if (word === undefined) throw invalid(`the unit ${unit.slice(0, 40)} is unknown`);
  return 2n ** word;
}

function hintsOf(system: Element): MachineHints {
  const items = elementsOf(system, 'Item');
  const amount = (type: string): { value: number; unit: string } | null => {
    const item = items.find((one) => textOf(one, 'ResourceType') === type);
    const value = Number(item && textOf(item, 'VirtualQuantity'));
    return item && Number.isSafeInteger(value) && value > 0
      ? { value, unit: textOf(item, 'AllocationUnits') ?? 'byte * 2^20' }
      : null;
  };
  const memory = amount(MEMORY);
  const memoryMib = memory ? (BigInt(memory.value) * unitBytes(memory.unit)) >> 20n : 0n;
  const firmware = elementsOf(system, 'Config').find((one) => one.attributes.get('key') === 'firmware');
  const guest = elementsOf(system, 'OperatingSystemSection')[0];
  return {
    name: short(system.attributes.get('id') ?? textOf(system, 'Name')),
    cpus: amount(CPU)?.value ?? null,
    memoryMib: memoryMib > 0n && memoryMib < 2n ** 40n ? Number(memoryMib) : null,
    firmware: firmware ? (firmware.attributes.get('value') === 'efi' ? 'efi' : 'bios') : null,
    operatingSystem: short(guest ? textOf(guest, 'Description') : null),
  };
}

const short = (text: string | null): string | null => text?.slice(0, 200) || null;

function attribute(element: Element, name: string): string {
  const value = element.attributes.get(name);
  if (value === undefined) throw invalid(`${element.name} has no ${name}`);
  return value;
}

function invalid(what: string) {
  return diskError(
    'archive_description_invalid',
    `The archive’s .ovf file cannot be followed: ${what}. Export the machine again as OVF 1.x with VMDK disks.`,
  );
}
