import type { ImageWire } from '#libs/contracts';

type Extra = ImageWire['servery'];
type Devices = Extra['devices'];

export const FIRMWARES: readonly (readonly [Devices['firmware'], string])[] = [
  ['bios', 'BIOS'],
  ['uefi', 'UEFI'],
];
export const DISK_BUSES: readonly (readonly [Devices['disk_bus'], string])[] = [
  ['virtio', 'virtio'],
  ['sata', 'SATA'],
  ['ide', 'IDE, on an older machine'],
];
export const NIC_MODELS: readonly (readonly [Devices['nic_model'], string])[] = [
  ['virtio', 'virtio'],
  ['e1000e', 'Intel e1000e'],
];
export const VERIFICATIONS: readonly (readonly [Extra['verification'], string])[] = [
  ['identity', 'It shows the SSH identity that we made'],
  ['ssh', 'It runs, and its SSH port answers'],
  ['running', 'It runs'],
];

export function wordFor<T extends string>(words: readonly (readonly [T, string])[], value: T): string {
  return words.find(([one]) => one === value)?.[1] ?? value;
}

/** `Debian 12 · disk of 10 GB · BIOS, virtio` */
export function factsOf(image: ImageWire): string {
  const { devices, import: report } = image.servery;
  const system = report?.guest?.os_id
    ? `${report.guest.os_id} ${report.guest.os_version ?? ''}`.trim()
    : null;
  const machine = `${wordFor(FIRMWARES, devices.firmware)}, ${wordFor(DISK_BUSES, devices.disk_bus)}`;
  return [system, `disk of ${image.disk_size} GB`, machine].filter(Boolean).join(' · ');
}

const REFUSALS: Readonly<Record<string, string>> = {
  pool_full: 'A host has no room for it now',
  firmware_missing: 'A host cannot start what starts by UEFI',
};

/** Why it is not on all hosts, each reason once. */
export function refusalsOf({ servery: { refusals = [] } }: ImageWire): string[] {
  return [...new Set(refusals.map(({ code }) => REFUSALS[code] ?? 'A host could not take it'))];
}

export function originOf({ servery, created_from: from }: ImageWire): string {
  if (servery.recipe) return 'cooked';
  if (from) return `of ${from.name}`;
  return servery.import || servery.made_by === null ? 'brought along' : '';
}
