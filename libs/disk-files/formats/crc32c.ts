const POLYNOMIAL = 0x82f6_3b78;

const TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
  return value;
});

/** Castagnoli's checksum of `bytes`, those from `at` to `at + 4` taken as zero: where the sum itself stands. */
export function crc32cWithout(bytes: Buffer, at: number): number {
  let crc = 0xffff_ffff;
  for (let index = 0; index < bytes.length; index++) {
    const byte = index >= at && index < at + 4 ? 0 : (bytes[index] ?? 0);
    crc = (crc >>> 8) ^ (TABLE[(crc ^ byte) & 0xff] ?? 0);
  }
  return ~crc >>> 0;
}
