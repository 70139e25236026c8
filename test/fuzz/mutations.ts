/** Numbers below `limit`, the same for the same seed (mulberry32). */
export type Random = (limit: number) => number;

export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) % limit;
  };
}

const EDGES = [0n, 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n, 2n ** 64n - 512n];

/** A copy with up to eight changes, most of them in its first sectors, and sometimes an end that comes early. */
export function mutated(seed: Buffer, random: Random): Buffer {
  const length = random(8) === 0 ? random(seed.length) + 1 : seed.length;
  const bytes = Buffer.from(seed.subarray(0, length));
  const changes = 1 + random(8);
  for (let change = 0; change < changes; change++) {
    const within = Math.min(bytes.length, random(4) === 0 ? bytes.length : random(2) === 0 ? 128 : 2048);
    const at = random(within);
    const edge = EDGES[random(EDGES.length)] ?? 0n;
    const kind = at + 8 > bytes.length ? 0 : random(4);
    if (kind < 2) bytes[at] = random(256);
    else if (kind === 2) bytes.writeBigUInt64BE(edge, at);
    else bytes.writeBigUInt64LE(edge, at);
  }
  return bytes;
}

const SECTOR_BYTES = 512;
const usedSectors = new WeakMap<Buffer, readonly number[]>();

/** A copy with up to sixteen changes in sectors that are not empty: where a file system says where everything lies. */
export function mutatedWhereUsed(seed: Buffer, random: Random): Buffer {
  const used = usedSectors.get(seed) ?? sectorsInUse(seed);
  usedSectors.set(seed, used);
  const bytes = Buffer.from(seed);
  for (let left = 1 + random(16); left > 0; left--) {
    const sector = used[random(used.length)] ?? 0;
    const at = sector * SECTOR_BYTES + random(SECTOR_BYTES - 8);
    const kind = random(4);
    if (kind === 0) bytes[at] = random(256);
    else if (kind === 1) bytes.writeUInt32LE(random(2 ** 16), at - (at % 4));
    else if (kind === 2) bytes.writeBigUInt64LE(EDGES[random(EDGES.length)] ?? 0n, at - (at % 4));
    // A structure where another one is expected.
    else bytes.copy(bytes, at, (used[random(used.length)] ?? 0) * SECTOR_BYTES, sector * SECTOR_BYTES + 64);
  }
  return bytes;
}

function sectorsInUse(bytes: Buffer): number[] {
  return Array.from({ length: Math.floor(bytes.length / SECTOR_BYTES) }, (_, index) => index).filter(
    (index) => bytes.subarray(index * SECTOR_BYTES, (index + 1) * SECTOR_BYTES).some((byte) => byte !== 0),
  );
}
