import type { EntityManager } from 'typeorm';
import { keepSlice, type OutputTables, readSlices } from '#libs/database';

const OUTPUT: OutputTables = { slices: 'rehearsal_output', owner: 'run_id', owners: 'rehearsal_runs' };

/** Adds a slice to what a run has printed, at its position; a slice that is there already is left as it is. */
export function keepOutput(
  manager: EntityManager,
  runId: number,
  slice: { readonly position: number; readonly bytes: Buffer },
): Promise<void> {
  return keepSlice(manager, OUTPUT, runId, slice);
}

/** What a run has printed from a position on, at most so many bytes of it, and rather a little less than half a character. */
export function readOutput(
  manager: EntityManager,
  runId: number,
  from: { readonly after: number; readonly mostBytes: number; readonly isWhole: boolean },
): Promise<{ readonly text: string; readonly next: number }> {
  return readSlices(manager, OUTPUT, runId, from);
}
