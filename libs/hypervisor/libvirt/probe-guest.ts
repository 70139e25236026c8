import { newUuid } from '#libs/kernel';
import type { DomainType, HostRef } from '../port/hosts.ts';
import { MARK_NAMESPACE } from './domain-xml.ts';
import { writeXml } from './xml.ts';

/** SeaBIOS boots no disk smaller than a cylinder. */
const DISK_BYTES = 1024 * 1024;
const BOOT_SECTOR_BYTES = 512;
const MEMORY_MIB = 64;

/**
 * A boot sector for 0x7c00, assembled from: real mode, segments to 0; page tables at 0x1000 that map the first
 * 2 MiB onto themselves; CR4.PAE, EFER.LME, a GDT with one 64-bit code segment, CR0.PG and CR0.PE; a far jump
 * into 64-bit code; a million additions; 0x2000 (sleep type 5, sleep enable) to the power management port
 * 0x604 where QEMU's q35 has it; a loop of HLT for where that is not heard.
 */
const CODE = [
  'fafc31c08ed88ec08ed0bc007c66bf001000000f22dfb90018f3ab66c70600100320000066c70600200330000066c7060030830000000f20e06683c8200f22e0',
  '66b9800000c00f32660d000100000f30660f0116807c0f20c0660d010000800f22c066ea867c00000800660f1f440000000000000000000000000000009a2000',
  '0f00707c0000b940420f0048ffc0ffc975f9ba04060000b80020000066eff4ebfd00',
].join('');

export interface ProbePlan {
  readonly uuid: string;
  readonly name: string;
  readonly volumeName: string;
  readonly host: HostRef;
  readonly installationId: string;
  readonly domainType: DomainType;
}

/** Fresh names each time, so that two probes of a host do not meet. */
export function planProbe(host: HostRef, installationId: string, domainType: DomainType): ProbePlan {
  const uuid = newUuid();
  const name = `servery-probe-${uuid.slice(0, 8)}`;
  return { uuid, name, volumeName: `${name}.img`, host, installationId, domainType };
}

export function probeDisk(): Buffer {
  const disk = Buffer.alloc(DISK_BYTES);
  disk.write(CODE, 'hex');
  disk.writeUInt16LE(0xaa55, BOOT_SECTOR_BYTES - 2);
  return disk;
}

/** Marked as ours with no server, so that the reconciler may clear what a killed probe left. */
export function probeDomainXml(plan: ProbePlan): string {
  return writeXml({
    domain: {
      '@type': plan.domainType,
      name: plan.name,
      uuid: plan.uuid,
      metadata: {
        'servery:server': {
          '@xmlns:servery': MARK_NAMESPACE,
          '@id': 0,
          '@installation': plan.installationId,
        },
      },
      memory: { '@unit': 'MiB', '#text': MEMORY_MIB },
      vcpu: 1,
      os: { type: { '@arch': 'x86_64', '@machine': 'q35', '#text': 'hvm' } },
      features: { acpi: {}, apic: {} },
      on_poweroff: 'destroy',
      on_reboot: 'destroy',
      on_crash: 'destroy',
      devices: {
        disk: {
          '@type': 'volume',
          '@device': 'disk',
          driver: { '@name': 'qemu', '@type': 'raw' },
          source: { '@pool': plan.host.diskPool, '@volume': plan.volumeName },
          target: { '@dev': 'vda', '@bus': 'virtio' },
          boot: { '@order': 1 },
        },
        controller: { '@type': 'usb', '@model': 'none' },
        memballoon: { '@model': 'none' },
      },
    },
  });
}
