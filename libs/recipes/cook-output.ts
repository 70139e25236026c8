import type { EntityManager } from 'typeorm';
import { KEPT_OUTPUT_BYTES, keepSlice, type OutputTables, readSlices } from '#libs/database';

const OUTPUT: OutputTables = { slices: 'cook_output', owner: 'cook_id', owners: 'cooks' };

/** Adds to what a cook has printed; what is beyond the 1 MiB that is kept is counted, as is what was cut before. */
export async function addOutput(
  manager: EntityManager,
  cookId: number,
  { bytes, cutBytes }: { readonly bytes: Buffer; readonly cutBytes: number },
): Promise<void> {
  const [cook] = await manager.query<{ position: number }[]>(
    'SELECT kept_bytes AS position FROM cooks WHERE id = $1',
    [cookId],
  );
  if (!cook) return;
  const kept = bytes.subarray(0, Math.max(0, KEPT_OUTPUT_BYTES - cook.position));
  await keepSlice(manager, OUTPUT, cookId, { ...cook, bytes: kept });
  const cut = cutBytes + bytes.length - kept.length;
  if (cut > 0)
    await manager.query('UPDATE cooks SET cut_bytes = cut_bytes + $2 WHERE id = $1', [cookId, cut]);
}

/** What a cook has printed from a position on, at most so many bytes of it. */
export function readOutput(
  manager: EntityManager,
  cookId: number,
  from: { readonly after: number; readonly mostBytes: number; readonly isWhole: boolean },
): Promise<{ readonly text: string; readonly next: number }> {
  return readSlices(manager, OUTPUT, cookId, from);
}
