import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { sleep } from '#libs/kernel';
import { median } from '../rounds.ts';
import { BenchGuest } from './bench-guest.ts';
import type { BenchHost } from './bench-host.ts';
import { type DiskRecord, readPrefix } from './records.ts';

const SIZE_GIB = 1;
/** For so long the guest writes before each freeze, and again before its plug is pulled. */
const WRITING_MS = 1500;

/** What a round showed. Pauses are in milliseconds. */
interface Round {
  readonly records: number;
  readonly heldMs: number;
  /** Between the last record in the snapshot and the next one, by the guest's clock. */
  readonly pauseMs: number;
  /** The longest one between any two others of the round. */
  readonly otherPauseMs: number;
  readonly troubles: readonly string[];
}

/**
 * A guest writes and syncs record after record, without a pause but for its own, past any file system: how long one is held
 * up shows in heldMilliseconds. Meanwhile its disk is frozen, cloned,
 * exported and merged; its plug is pulled; it is rolled back to what was frozen, and goes on from there. Each copy is read
 * without being booted. @returns whether every one held the beginning of what was written, with all that was synced before
 */
export async function proveConsistency(bench: BenchHost, rounds: number): Promise<boolean> {
  const guest = new BenchGuest(bench, 'writer', SIZE_GIB);
  const epochs = new Map([[1, 0]]);
  const all: Round[] = [];
  await guest.create();
  await guest.boot();
  await guest.write(1, 0);
  for (let round = 1; round <= rounds; round += 1) {
    const shown = await oneRound(bench, guest, epochs, round);
    all.push(shown);
    const { records, heldMs, pauseMs, troubles } = shown;
    const verdict = troubles.length === 0 ? 'consistent' : `WRONG: ${troubles.join('; ')}`;
    console.log(
      `round ${round}: ${records} records, held ${heldMs} ms, the writer paused ${pauseMs.toFixed(1)} ms: ${verdict}`,
    );
    if (troubles.length > 0) break;
  }
  await guest.remove();
  return conclude(all, rounds);
}

async function oneRound(
  bench: BenchHost,
  guest: BenchGuest,
  epochs: Map<number, number>,
  round: number,
): Promise<Round> {
  const { hypervisor, host } = bench;
  const troubles: string[] = [];
  const look = async (what: string, synced: number, copy: () => Promise<DiskRecord[]>) => {
    try {
      const records = await copy();
      if (records.length < synced)
        troubles.push(`${what}: ${synced} records were synced, ${records.length} are there`);
      return records;
    } catch (error) {
      troubles.push(`${what}: ${error instanceof Error ? error.message : error}`);
      return [];
    }
  };
  const same = (what: string, records: readonly DiskRecord[]) => {
    if (records.length !== frozen.length)
      troubles.push(`${what}: ${records.length} records of ${frozen.length}`);
  };
  const before = guest.disk;
  await sleep(WRITING_MS);
  const synced = await guest.acknowledged();
  const { frozenVolume, heldMilliseconds, consistency } = await guest.freeze();
  if (consistency !== 'filesystem') troubles.push(`the snapshot is ${consistency}`);
  const frozen = await look('snapshot', synced, () => readVolume(bench, frozenVolume, epochs));

  const clone = `clone-${round}.qcow2`;
  await hypervisor.createOverlay(host, {
    volumeName: clone,
    base: { frozen: frozenVolume },
    sizeGib: SIZE_GIB,
  });
  same('clone', await look('clone', synced, () => readVolume(bench, clone, epochs)));
  await hypervisor.deleteVolume(host, clone);
  same('export', await look('export', synced, () => readExport(bench, frozenVolume, epochs)));

  await guest.merge();
  await sleep(WRITING_MS);
  const left = guest.disk;
  const syncedLater = await guest.acknowledged();
  await guest.rollBack(frozenVolume);
  const later = await look('disk after its plug was pulled', syncedLater, () =>
    readVolume(bench, left, epochs),
  );
  same('rolled back disk', await look('roll back', synced, () => readVolume(bench, guest.disk, epochs)));

  await guest.boot();
  epochs.set(round + 1, frozen.length);
  await guest.write(round + 1, frozen.length);
  await guest.merge();
  await hypervisor.deleteVolume(host, left);
  await hypervisor.deleteVolume(host, before);
  const pauses = pausesOf(later, round);
  return {
    records: later.length,
    heldMs: heldMilliseconds ?? Number.NaN,
    pauseMs: pauses.get(frozen.length - 1) ?? Number.NaN,
    otherPauseMs: Math.max(
      ...[...pauses].filter(([number]) => number !== frozen.length - 1).map(([, ms]) => ms),
    ),
    troubles,
  };
}

/** Milliseconds from each record of an epoch to the next. */
function pausesOf(records: readonly DiskRecord[], epoch: number): ReadonlyMap<number, number> {
  const own = records.filter((record) => record.epoch === epoch);
  return new Map(
    own.slice(1).map((record, index) => {
      const former = own[index] ?? record;
      return [former.number, Number(record.nanoseconds - former.nanoseconds) / 1e6];
    }),
  );
}

/** Without starting anything: by QEMU's own tools, on a volume that nothing writes to. */
async function readVolume(bench: BenchHost, volume: string, epochs: ReadonlyMap<number, number>) {
  const path = await bench.pathOf(volume);
  await bench.tool('qemu-img', ['check', '-q', '-f', 'qcow2', path]);
  return readRaw(bench, path, epochs);
}

/** As an export takes it home: a copy that stands on nothing, fetched from its host. */
async function readExport(bench: BenchHost, frozenVolume: string, epochs: ReadonlyMap<number, number>) {
  const { hypervisor, host, folder, tool } = bench;
  const volumeName = `flat-${frozenVolume}`;
  const file = join(folder, 'export.qcow2');
  await hypervisor.flattenVolume(host, { volumeName, fromVolumeName: frozenVolume, format: 'qcow2' });
  await hypervisor.downloadVolume(host, volumeName, file);
  await hypervisor.deleteVolume(host, volumeName);
  await tool('qemu-img', ['check', '-q', '-f', 'qcow2', file]);
  return readRaw(bench, file, epochs);
}

async function readRaw({ folder, tool }: BenchHost, path: string, epochs: ReadonlyMap<number, number>) {
  const raw = join(folder, 'read.raw');
  await tool('qemu-img', ['convert', '-f', 'qcow2', '-O', 'raw', path, raw]);
  try {
    return await readPrefix(raw, epochs);
  } finally {
    await rm(raw);
  }
}

function conclude(rounds: readonly Round[], wanted: number): boolean {
  const isRight = rounds.length === wanted && rounds.every(({ troubles }) => troubles.length === 0);
  const longest = (figures: readonly number[]) => Math.max(...figures).toFixed(1);
  const middle = (figures: readonly number[]) => median(figures).toFixed(1);
  const line = (what: string, figures: readonly number[]) =>
    `  ${what.padEnd(44)} longest ${longest(figures).padStart(7)} ms, median ${middle(figures)} ms`;
  console.log(
    [
      `longest pause of the guest in ${rounds.length} rounds:`,
      line(
        'by its writer, at a freeze',
        rounds.map(({ pauseMs }) => pauseMs),
      ),
      line(
        'by its writer, the longest of all others',
        rounds.map(({ otherPauseMs }) => otherPauseMs),
      ),
      line(
        'by heldMilliseconds',
        rounds.map(({ heldMs }) => heldMs),
      ),
      isRight
        ? `snapshot, clone, export, roll back, pulled plug: ${wanted} times consistent, nothing that was synced is missing`
        : 'NOT CONSISTENT: see above',
    ].join('\n'),
  );
  return isRight;
}
