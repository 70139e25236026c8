import { readdirSync, readFileSync, statfsSync } from 'node:fs';
import type { WallEnd, WallOrder } from './order.ts';

/** What all processes behind the wall use together. */
export interface Usage {
  /** Memory that they have for themselves: what they share with a file is not counted. */
  readonly memoryBytes: number;
  readonly tasks: number;
  /** Of those that run and of those that they waited for. */
  readonly cpuSeconds: number;
}

const MIB = 1024 * 1024;
const FULL_BYTES = 16 * MIB;
const FULL_FILES = 64;
const PAGE_BYTES = 4096;
/** USER_HZ of the kernel's interfaces on x86-64. */
const TICKS_PER_SECOND = 100;
/** Where this machine itself has less left, the cook is what goes. */
const MACHINE_DISK_RESERVE_BYTES = 512 * MIB;
const MACHINE_MEMORY_RESERVE_BYTES = 128 * MIB;

/** `procDir` is a /proc of their process namespace. What ends meanwhile is not counted. */
export function usageIn(procDir: string): Usage {
  const names = attempt(() => readdirSync(procDir)) ?? [];
  const all = names.filter((name) => /^\d+$/.test(name)).map((name) => usageOf(`${procDir}/${name}`));
  const sum = (key: keyof Usage) => all.reduce((total, usage) => total + usage[key], 0);
  return { memoryBytes: sum('memoryBytes'), tasks: sum('tasks'), cpuSeconds: sum('cpuSeconds') };
}

/** Whether a process is more than its entry in the table, which is there until somebody asks for it. */
export function isAlive(folder: string): boolean {
  return !['', 'Z', 'X'].includes(fieldsOf(folder)[0] ?? '');
}

/** From the third field of `stat` in proc(5): the second, a name, may hold anything but is in parentheses. */
function fieldsOf(folder: string): string[] {
  const stat = attempt(() => readFileSync(`${folder}/stat`, 'latin1')) ?? '';
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function usageOf(folder: string): Usage {
  const fields = fieldsOf(folder).map(Number);
  const [userTicks = 0, systemTicks = 0, waitedUserTicks = 0, waitedSystemTicks = 0] = fields.slice(11, 15);
  const [, resident = 0, shared = 0] = (attempt(() => readFileSync(`${folder}/statm`, 'latin1')) ?? '')
    .split(' ')
    .map(Number);
  return {
    memoryBytes: (resident - shared) * PAGE_BYTES,
    tasks: fields[17] ?? 0,
    cpuSeconds: (userTicks + systemTicks + waitedUserTicks + waitedSystemTicks) / TICKS_PER_SECOND,
  };
}

/** Which limit `usage` goes beyond, or null. */
export function exceeded(usage: Usage, { limits, scratchDir }: WallOrder): WallEnd['stoppedBy'] {
  if (usage.memoryBytes > limits.memoryMib * MIB) return 'memory';
  if (usage.tasks > limits.processes) return 'processes';
  if (usage.cpuSeconds > limits.cpuSeconds) return 'cpu_time';
  if (freeBytes(scratchDir) < MACHINE_DISK_RESERVE_BYTES) return 'machine_disk';
  if (machineMemoryBytes() < MACHINE_MEMORY_RESERVE_BYTES) return 'machine_memory';
  return null;
}

/** With less left on it, a file system is as good as full. */
export function isFull(folder: string): boolean {
  return freeBytes(folder) < FULL_BYTES || statfsSync(folder).ffree < FULL_FILES;
}

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

function machineMemoryBytes(): number {
  const [, kib = 'Infinity'] =
    /^MemAvailable: +(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'latin1')) ?? [];
  return Number(kib) * 1024;
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
