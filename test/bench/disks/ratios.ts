import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { alternate, median, report } from '../rounds.ts';
import { BenchGuest } from './bench-guest.ts';
import type { BenchHost } from './bench-host.ts';
import { inGuest } from './bench-image.ts';
import { AREA_START_BYTES } from './records.ts';

const SIZES_GIB = [1, 4, 10];
const CHAINS = [1, 8, 32];
const MIB = 1024 ** 2;
const UNIT = 'ms';
/** What the export copies, beside the guest's own system. */
const EXPORTED_MIB = 4096;
/** Many, and each side first in half of them: gigabytes of page cache take thrice as long in some, on either side. */
const EXPORT_ROUNDS = 12;
/** An export is fetched at the speed of libvirt's own streams, which is no news after this. */
const FETCH_ROUNDS = 3;
/** What the guest reads in a random order, and how many blocks of it are written anew between two snapshots. */
const READ_BLOCKS = 16_384;
const READS = 8192;
const WRITTEN_BETWEEN = 512;

/** Clone, snapshot, export and chains, each against the bare tool below it, side by side. */
export async function compareRatios(bench: BenchHost, rounds: number): Promise<void> {
  for (const sizeGib of SIZES_GIB) await cloneAndSnapshot(bench, sizeGib, rounds);
  await exporting(bench);
  await chains(bench, rounds);
}

async function cloneAndSnapshot(bench: BenchHost, sizeGib: number, rounds: number): Promise<void> {
  const { hypervisor, host } = bench;
  const guest = new BenchGuest(bench, `size-${sizeGib}`, sizeGib);
  await guest.create();
  await mapAll(bench, guest.disk, sizeGib);
  await guest.boot();
  const first = await guest.freeze();
  const volumes = [first.frozenVolume];
  const path = await bench.pathOf(first.frozenVolume);
  const baseline = {
    name: 'qemu-img create -b',
    measure: async (round: number) => {
      const overlay = `${path}.by-hand-${round}`;
      const taken = await milliseconds(() =>
        bench.tool('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'qcow2', '-b', path, overlay]),
      );
      await bench.tool('rm', [overlay]);
      return taken;
    },
  };
  const cloned = async (round: number) => {
    const overlay = { volumeName: `clone-${round}.qcow2`, base: { frozen: first.frozenVolume }, sizeGib };
    const taken = await milliseconds(() => hypervisor.createOverlay(host, overlay));
    await hypervisor.deleteVolume(host, overlay.volumeName);
    return taken;
  };
  const snapshot = async () => {
    const { frozenVolume, tookMs } = await guest.freeze();
    volumes.push(frozenVolume);
    return tookMs;
  };
  for (const [what, measure] of [
    ['clone', cloned],
    ['snapshot', snapshot],
  ] as const) {
    const names = { ours: `${what} of ${sizeGib} GiB`, baseline: baseline.name };
    console.log(
      `\n${report(await alternate({ name: names.ours, measure }, baseline, rounds, UNIT), names, UNIT)}`,
    );
  }
  volumes.push(guest.disk);
  await guest.remove();
  for (const volume of volumes.toReversed()) await hypervisor.deleteVolume(host, volume);
}

/** Each cluster of the disk behind its system gets its entry in qcow2's tables, as on a disk that is full; no data. */
async function mapAll(bench: BenchHost, volume: string, sizeGib: number): Promise<void> {
  await write(bench, await bench.pathOf(volume), '-z', sizeGib * 1024 * MIB);
}

/** Writes from where the guest's system ends on, in pieces: qemu-io takes less than 2 GiB at once. */
async function write(bench: BenchHost, path: string, what: string, endBytes: number): Promise<void> {
  const commands: string[] = [];
  for (let start = AREA_START_BYTES; start < endBytes; start += 1024 * MIB) {
    const length = Math.min(1024 * MIB, endBytes - start);
    commands.push('-c', `write -q ${what} ${start} ${length}`);
  }
  await bench.tool('qemu-io', ['-f', 'qcow2', ...commands, path]);
}

async function exporting(bench: BenchHost): Promise<void> {
  const { hypervisor, host, folder } = bench;
  const guest = new BenchGuest(bench, 'export', 6);
  await guest.create();
  await guest.remove();
  const from = guest.disk;
  const path = await bench.pathOf(from);
  await write(bench, path, '-P 165', AREA_START_BYTES + EXPORTED_MIB * MIB);
  const file = join(folder, 'export.qcow2');
  const baseline = {
    name: 'qemu-img convert',
    measure: async () => {
      const taken = await millisecondsOnceSettled(bench, () =>
        bench.tool('qemu-img', ['convert', '-f', 'qcow2', '-O', 'qcow2', path, `${path}.by-hand`]),
      );
      await bench.tool('rm', [`${path}.by-hand`]);
      return taken;
    },
  };
  const copy = { volumeName: 'flat.qcow2', fromVolumeName: from, format: 'qcow2' } as const;
  const flattened = async () => {
    const taken = await millisecondsOnceSettled(bench, () => hypervisor.flattenVolume(host, copy));
    await hypervisor.deleteVolume(host, copy.volumeName);
    return taken;
  };
  const fetched = async () => {
    const taken = await millisecondsOnceSettled(bench, async () => {
      await hypervisor.flattenVolume(host, copy);
      await hypervisor.downloadVolume(host, copy.volumeName, file);
    });
    await hypervisor.deleteVolume(host, copy.volumeName);
    await rm(file);
    return taken;
  };
  for (const [what, measure, times] of [
    ['export on its host', flattened, EXPORT_ROUNDS],
    ['export, fetched', fetched, FETCH_ROUNDS],
  ] as const) {
    const names = { ours: what, baseline: baseline.name };
    const comparison = await alternate({ name: what, measure }, baseline, times, UNIT);
    console.log(`\n${report(comparison, names, UNIT)}`);
  }
  await hypervisor.deleteVolume(host, from);
}

/** Who writes gigabytes must not wait for those that were written before. */
async function millisecondsOnceSettled(bench: BenchHost, work: () => Promise<unknown>): Promise<number> {
  await bench.tool('sync', []);
  return milliseconds(work);
}

/** Reads in the guest after 1, 8 and 32 snapshots that were merged, against a disk of which none was made. */
async function chains(bench: BenchHost, rounds: number): Promise<void> {
  const guest = new BenchGuest(bench, 'chain', 1);
  const fresh = new BenchGuest(bench, 'fresh', 1);
  for (const each of [guest, fresh]) {
    await each.create();
    await each.boot();
    await each.shell(inGuest('reader.pl', AREA_START_BYTES, READ_BLOCKS, 'fill', READ_BLOCKS));
  }
  let made = 0;
  const medians: string[] = [];
  for (const length of CHAINS) {
    for (; made < length; made += 1) {
      await guest.freeze();
      await guest.shell(inGuest('reader.pl', AREA_START_BYTES, READ_BLOCKS, 'fill', WRITTEN_BETWEEN));
    }
    await guest.merge();
    const names = { ours: `reads after ${length} snapshots`, baseline: 'reads of a disk without one' };
    const comparison = await alternate(
      { name: names.ours, measure: () => readsOf(guest) },
      { name: names.baseline, measure: () => readsOf(fresh) },
      rounds,
      'µs per 4 KiB',
    );
    console.log(`\n${report(comparison, names, 'µs per 4 KiB')}`);
    medians.push(`${length}: ${median(comparison.ours).toFixed(1)}`);
  }
  console.log(`random reads by snapshots that were merged, median µs: ${medians.join(', ')}`);
  for (const each of [guest, fresh]) await each.remove();
}

async function readsOf(guest: BenchGuest): Promise<number> {
  return Number(await guest.shell(inGuest('reader.pl', AREA_START_BYTES, READ_BLOCKS, READS)));
}

async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}
