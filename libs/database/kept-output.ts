import type { EntityManager } from 'typeorm';

/** Of what a program prints so much is kept, from its beginning. */
export const KEPT_OUTPUT_BYTES = 1024 * 1024;

/** Where the output of one kind of program is kept: slices by position, and how much there is in all. */
export interface OutputTables {
  readonly slices: string;
  /** The column of the slices that says whose they are. */
  readonly owner: string;
  /** Has `id` and `kept_bytes`. */
  readonly owners: string;
}

/** Adds a slice to what was printed, at its position; a slice that is there already is left as it is. */
export async function keepSlice(
  manager: EntityManager,
  { slices, owner, owners }: OutputTables,
  ownerId: number,
  { position, bytes }: { readonly position: number; readonly bytes: Buffer },
): Promise<void> {
  if (bytes.length === 0) return;
  await manager.query(
    `WITH added AS (INSERT INTO ${slices} (${owner}, position, bytes) VALUES ($1, $2, $3)
                    ON CONFLICT DO NOTHING RETURNING position)
     UPDATE ${owners} SET kept_bytes = $2 + $4 WHERE id = $1 AND EXISTS (SELECT FROM added)`,
    [ownerId, position, bytes, bytes.length],
  );
}

/** What was printed from a position on, at most so many bytes of it, and rather a little less than half a character. */
export async function readSlices(
  manager: EntityManager,
  { slices, owner }: OutputTables,
  ownerId: number,
  {
    after,
    mostBytes,
    isWhole,
  }: { readonly after: number; readonly mostBytes: number; readonly isWhole: boolean },
): Promise<{ readonly text: string; readonly next: number }> {
  const found = await manager.query<{ position: number; bytes: Buffer }[]>(
    `SELECT position, bytes FROM ${slices}
     WHERE ${owner} = $1 AND position + length(bytes) > $2 AND position < $2 + $3 ORDER BY position`,
    [ownerId, after, mostBytes],
  );
  const all = Buffer.concat(
    found.map(({ position, bytes }) => bytes.subarray(Math.max(0, after - position))),
  );
  const slice = all.subarray(0, mostBytes);
  const isEnd = isWhole && slice.length === all.length;
  const whole = isEnd ? slice.length : slice.length - splitCharacter(slice);
  return { text: slice.subarray(0, whole).toString('utf8'), next: after + whole };
}

/** How many bytes at the end of some UTF-8 are of a character that goes on beyond it. */
function splitCharacter(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? back : 0;
  }
  return 0;
}
