import { randomInt } from 'node:crypto';
import { dirname } from 'node:path';
import type { Visible } from '#libs/confinement';
import { findProgram, programFiles } from './visible-files.ts';

/** What a child may use. Each is the kernel's own limit, so no code of ours has to notice. */
export interface SandboxLimits {
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  /** Of a tool: all its addresses. Of Node, which reserves far more than it uses: writable memory. */
  readonly memoryBytes: number;
  /** No file is written beyond this offset. */
  readonly fileBytes: number;
}

/** What runs within. */
export interface Confined {
  readonly program: 'qemu-img' | 'debugfs' | 'node';
  readonly args: readonly string[];
  readonly files: readonly Visible[];
}

/** User ids that systemd's table of uid ranges leaves unused: one for each run, so that none sees another. */
const FIRST_UID = 1_879_048_192;
const LAST_UID = 2_147_483_647;
const PACKAGES = { 'qemu-img': 'qemu-utils', debugfs: 'e2fsprogs' } as const;
const NOBODY = 65_534;
/** One arena: glibc reserves 64 MiB of addresses for each thread otherwise, and qemu-img has many (mallopt(3)). */
const ENVIRONMENT = { LC_ALL: 'C', MALLOC_ARENA_MAX: '1' } as const;
/** Above what qemu-img may come to: a pool of 64 threads (QEMU's block layer) beside its own; it aborts where one is refused. */
const MAX_TASKS = 128;
const MAX_OPEN_FILES = 64;
const KEPT_TO_CHANGE_USER = ['CAP_SETUID', 'CAP_SETGID', 'CAP_SETPCAP'];

/** The user that a run has: another than ours where we are root, who can give a file to it; else none. */
export function sandboxUser(): number | null {
  return process.getuid?.() === 0 ? randomInt(FIRST_UID, LAST_UID) : null;
}

/**
 * The command of a sandbox in which `confined` runs: namespaces of its own for processes, network, mounts, IPC and
 * host name; a file system in memory, read-only, with the program, its libraries and `/dev/null`; no
 * capabilities, nothing that gives any; and the descriptors that it inherits, which are the only way to a disk.
 */
export async function sandboxCommand(
  confined: Confined,
  limits: SandboxLimits,
  user: number | null,
): Promise<[string, ...string[]]> {
  const { program } = confined;
  const at = `/usr/bin/${program}`;
  const path = program === 'node' ? process.execPath : findProgram(program, PACKAGES[program]);
  const setpriv = findProgram('setpriv', 'util-linux');
  const visible = [
    ...(await programFiles(path, at)),
    ...(user === null ? [] : await programFiles(setpriv, setpriv)),
    ...confined.files,
  ];
  return [
    findProgram('prlimit', 'util-linux'),
    ...resourceLimits(program, limits, user),
    '--',
    findProgram('bwrap', 'bubblewrap'),
    ...namespaces(user),
    ...fileSystem(visible),
    '--',
    ...(user === null ? [] : [setpriv, ...becoming(user)]),
    at,
    ...confined.args,
  ];
}

function resourceLimits(program: Confined['program'], limits: SandboxLimits, user: number | null): string[] {
  return [
    `--cpu=${limits.cpuSeconds}`,
    `--${program === 'node' ? 'data' : 'as'}=${limits.memoryBytes}`,
    `--fsize=${limits.fileBytes}`,
    `--nofile=${MAX_OPEN_FILES}`,
    '--core=0',
    // Counted for each user: without a user of its own it would count what else ours does.
    ...(user === null ? [] : [`--nproc=${MAX_TASKS}`]),
  ];
}

function namespaces(user: number | null): string[] {
  const own = ['--unshare-ipc', '--unshare-pid', '--unshare-net', '--unshare-uts', '--unshare-cgroup-try'];
  const identity =
    user === null
      ? [
          '--unshare-user',
          '--disable-userns',
          '--uid',
          String(NOBODY),
          '--gid',
          String(NOBODY),
          '--cap-drop',
          'ALL',
        ]
      : ['--cap-drop', 'ALL', ...KEPT_TO_CHANGE_USER.flatMap((capability) => ['--cap-add', capability])];
  const environment = Object.entries(ENVIRONMENT).flatMap(([name, value]) => ['--setenv', name, value]);
  return [...own, ...identity, '--die-with-parent', '--new-session', '--clearenv', ...environment];
}

/** A user without any right or way back to one. */
function becoming(user: number): string[] {
  const id = String(user);
  return [
    '--reuid',
    id,
    '--regid',
    id,
    '--clear-groups',
    '--no-new-privs',
    '--bounding-set=-all',
    '--inh-caps=-all',
    '--',
  ];
}

function fileSystem(visible: readonly Visible[]): string[] {
  const unique = [...new Map(visible.map((one) => [one.at, one])).values()];
  const folders = new Set(['/dev', '/proc', ...unique.flatMap(({ at }) => ancestors(at))]);
  return [
    // Made first and by name: those that bubblewrap makes on its way are open to root alone.
    ...[...folders].toSorted().flatMap((folder) => ['--dir', folder]),
    ...unique.flatMap(({ from, at }) => ['--ro-bind', from, at]),
    ...['--dev-bind', '/dev/null', '/dev/null'],
    ...['--proc', '/proc', '--remount-ro', '/', '--chdir', '/'],
  ];
}

function ancestors(path: string): string[] {
  const parent = dirname(path);
  return parent === '/' ? [] : [...ancestors(parent), parent];
}
