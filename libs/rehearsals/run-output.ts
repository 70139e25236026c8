import type { EntityManager } from 'typeorm';

/** Of what a script prints so much is kept, from its beginning. */
export const KEPT_OUTPUT_BYTES = 1024 * 1024;

/** Adds a slice to what a run has printed, at its position; a slice that is there already is left as it is. */
export async function keepOutput(
  manager: EntityManager,
  runId: number,
  { position, bytes }: { readonly position: number; readonly bytes: Buffer },
): Promise<void> {
  if (bytes.length === 0) return;
  await manager.query(
    `WITH added AS (INSERT INTO rehearsal_output (run_id, position, bytes) VALUES ($1, $2, $3)
                    ON CONFLICT DO NOTHING RETURNING position)
     UPDATE rehearsal_runs SET kept_bytes = $2 + $4 WHERE id = $1 AND EXISTS (SELECT FROM added)`,
    [runId, position, bytes, bytes.length],
  );
}

/** What a run has printed from a position on, at most so many bytes of it, and rather a little less than half a character. */
export async function readOutput(
  manager: EntityManager,
  runId: number,
  {
    after,
    mostBytes,
    isWhole,
  }: { readonly after: number; readonly mostBytes: number; readonly isWhole: boolean },
): Promise<{ readonly text: string; readonly next: number }> {
  const slices = await manager.query<{ position: number; bytes: Buffer }[]>(
    `SELECT position, bytes FROM rehearsal_output
     WHERE run_id = $1 AND position + length(bytes) > $2 AND position < $2 + $3 ORDER BY position`,
    [runId, after, mostBytes],
  );
  const all = Buffer.concat(
    slices.map(({ position, bytes }) => bytes.subarray(Math.max(0, after - position))),
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
