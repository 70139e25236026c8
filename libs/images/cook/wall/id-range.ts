import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import type { WallOrder } from './order.ts';
import { PATH } from './tool.ts';

/** User and group ids outside of the wall, for 0, 1, 2… behind it. */
export interface IdRange {
  readonly first: number;
  readonly count: number;
}

/** 65534 is nobody, and 65535 is never anybody's. */
const COUNT = 65_535;
const BLOCK = 65_536;
/** What systemd's table of user ids leaves unused, in blocks: 1879048192 to 2147483647. */
const FIRST_BLOCK = 28_672;
const LAST_BLOCK = 32_766;

/** A range that no process has: another cook's files and processes are never ours. Without root, all that we were given. */
export function ownRange(isRootless: boolean): IdRange {
  if (isRootless) return { first: 1, count: COUNT };
  const taken = new Set(userIdsOfProcesses().map((id) => Math.floor(id / BLOCK)));
  let block = randomInt(FIRST_BLOCK, LAST_BLOCK);
  while (taken.has(block)) block = randomInt(FIRST_BLOCK, LAST_BLOCK);
  return { first: block * BLOCK, count: COUNT };
}

function userIdsOfProcesses(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => statSync(`/proc/${name}`, { throwIfNoEntry: false })?.uid ?? 0);
}

/**
 * A user namespace in which `range` is all there is, owned by its first id. The kernel holds all processes in it
 * together to the limit that its maker had. It lasts while the process `holderId` does, which ends with ours.
 */
export async function userNamespace(range: IdRange, limits: WallOrder['limits']) {
  const id = String(range.first);
  const argv = [
    ...['prlimit', `--nproc=${taskLimit(limits)}`, '--'],
    ...['setpriv', '--reuid', id, '--regid', id, '--clear-groups', '--'],
    ...['unshare', '--user', '--', 'sh', '-c', 'echo && exec cat'],
  ] as const;
  const [program, ...args] = argv;
  const holder = spawn(program, args, { cwd: '/', env: { PATH }, stdio: ['pipe', 'pipe', 'inherit'] });
  await once(holder.stdout, 'data');
  for (const map of ['gid_map', 'uid_map']) {
    writeFileSync(`/proc/${holder.pid}/${map}`, `0 ${range.first} ${range.count}\n`);
  }
  return { path: `/proc/${holder.pid}/ns/user`, [Symbol.dispose]: () => holder.stdin.end() };
}

/** The processes of the wall itself come on top. */
export function taskLimit({ processes }: WallOrder['limits']): number {
  const OWN_TASKS = 16;
  return processes + OWN_TASKS;
}
