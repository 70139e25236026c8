import { createHash } from 'node:crypto';

/** The ids that a disk carries. Derived, so that the same cook gives the same disk. */
export interface DiskIdentities {
  readonly diskUuid: string;
  readonly biosBootUuid: string;
  readonly espUuid: string;
  readonly rootPartitionUuid: string;
  readonly rootFilesystemUuid: string;
  readonly hashSeedUuid: string;
  /** The serial number of the FAT file system, 8 hexadecimal digits. */
  readonly espSerial: string;
}

/** `seed` says what the disk is made of; other content gets other ids. */
export function identitiesOf(seed: string): DiskIdentities {
  return {
    diskUuid: derivedUuid(seed, 'disk'),
    biosBootUuid: derivedUuid(seed, 'bios-boot'),
    espUuid: derivedUuid(seed, 'esp'),
    rootPartitionUuid: derivedUuid(seed, 'root-partition'),
    rootFilesystemUuid: derivedUuid(seed, 'root-filesystem'),
    hashSeedUuid: derivedUuid(seed, 'hash-seed'),
    espSerial: digest(seed, 'esp-serial').subarray(0, 4).toString('hex').toUpperCase(),
  };
}

/** A version 8 UUID (RFC 9562: bits of our own) from a digest. */
export function derivedUuid(seed: string, role: string): string {
  const bytes = digest(seed, role).subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

function digest(seed: string, role: string): Buffer {
  return createHash('sha256').update(`${role}\0${seed}`).digest();
}
