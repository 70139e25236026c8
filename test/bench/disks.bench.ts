import { parseArgs } from 'node:util';
import { withBenchHost } from './disks/bench-host.ts';
import { proveConsistency } from './disks/consistency.ts';
import { compareRatios } from './disks/ratios.ts';
import { roundsWanted } from './rounds.ts';

/**
 * What a snapshot is worth, and what it costs. First under a guest that writes: exits 1 unless every snapshot, clone,
 * export and roll back held the beginning of what was written, with all that was synced before. Then clone, snapshot, export
 * and chains against the bare tools. `--only proof` or `--only ratios` does one of both.
 */
const RATIO_ROUNDS = 5;

const option = { type: 'string' } as const;
const { values } = parseArgs({ options: { rounds: option, only: option } });
if (![undefined, 'proof', 'ratios'].includes(values.only)) throw new Error('--only wants proof or ratios');
const rounds = roundsWanted(20, 1, ['only']);
await withBenchHost(async (bench) => {
  if (values.only !== 'ratios' && !(await proveConsistency(bench, rounds))) process.exitCode = 1;
  if (values.only !== 'proof') await compareRatios(bench, RATIO_ROUNDS);
});
