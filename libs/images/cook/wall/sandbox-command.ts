import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { taskLimit } from './id-range.ts';
import type { WallOrder } from './order.ts';
import { BUILDER_NAME, WITHIN } from './places.ts';
import type { Stage } from './stage.ts';

/** What installing packages takes, over the ids of its own range. Not: mounting, devices, networks, other processes. */
const CAPABILITIES = [
  'chown',
  'dac_override',
  'fowner',
  'fsetid',
  'kill',
  'setgid',
  'setuid',
  'setfcap',
  'sys_chroot',
];
/** Takes the rest out of the bounding set, and goes with it. */
const TO_DROP_THEM = 'setpcap';
const TOOLCHAIN = ['/usr/bin', '/usr/sbin', '/usr/lib', '/usr/lib64', '/usr/libexec', '/usr/share'];
const SETTINGS = ['/etc/alternatives', '/etc/ld.so.cache', '/etc/mke2fs.conf'];
const DEVICES = ['null', 'zero', 'full', 'random', 'urandom'];
/** Files of /proc that tell of this machine and not of what runs behind the wall. */
const HIDDEN = [
  'cmdline',
  'diskstats',
  'key-users',
  'keys',
  'kmsg',
  'partitions',
  'sched_debug',
  'timer_list',
];
const MIB = 1024 * 1024;
const MAX_OPEN_FILES = 1024;
/** One process may reach somewhat above what all may: so the watch sees it, and says which limit it was. */
const ONE_PROCESS_PART = 1.5;

/** What serves customers on this machine goes first, and a cook goes on all the same. */
const NICENESS = 5;

/** Descriptors of bubblewrap's. */
export const SYSTEM_CALLS_FD = 3;
export const INFO_FD = 4;

/**
 * The command that runs an order behind the wall: in the user namespace at `namespacePath`, in further namespaces
 * of its own, on a file system of what the stage has; `prefix` comes first. Its first line of output is empty: the wall stands. Then it
 * waits for a line.
 */
export function sandboxCommand(
  order: WallOrder,
  stage: Stage,
  namespacePath: string,
  prefix: readonly string[] = [],
): string[] {
  return [
    ...prefix,
    ...(['nice', '-n', String(NICENESS)] as const),
    ...['choom', '-n', '1000', '--'],
    ...resourceLimits(order),
    ...['nsenter', `--user=${namespacePath}`, '--setuid', '0', '--setgid', '0', '--'],
    ...['bwrap', ...namespaces(order), ...fileSystem(stage), '--'],
    ...['setpriv', `--bounding-set=-all,${CAPABILITIES.map((name) => `+${name}`).join(',')}`],
    ...[`--inh-caps=-all`, '--ambient-caps=-all', '--'],
    ...['sh', '-c', 'echo && read -r _ && exec "$@"', 'sh', ...order.argv],
  ];
}

function resourceLimits(order: WallOrder): string[] {
  const { limits } = order;
  return [
    'prlimit',
    `--cpu=${limits.cpuSeconds}`,
    `--data=${Math.ceil(limits.memoryMib * MIB * ONE_PROCESS_PART)}`,
    `--nproc=${taskLimit(limits)}`,
    `--fsize=${order.fileBytes}`,
    `--nofile=${MAX_OPEN_FILES}`,
    '--msgqueue=0',
    '--memlock=65536',
    '--core=0',
    '--',
  ];
}

function namespaces(order: WallOrder): string[] {
  const capabilities = [...CAPABILITIES, TO_DROP_THEM].flatMap((name) => [
    '--cap-add',
    `CAP_${name.toUpperCase()}`,
  ]);
  return [
    ...['--unshare-ipc', '--unshare-pid', '--unshare-net', '--unshare-uts', '--unshare-cgroup-try'],
    ...['--hostname', BUILDER_NAME, '--die-with-parent', '--new-session'],
    ...['--cap-drop', 'ALL', ...capabilities],
    ...['--seccomp', String(SYSTEM_CALLS_FD), '--info-fd', String(INFO_FD)],
    '--clearenv',
    ...Object.entries(order.environment).flatMap(([name, value]) => ['--setenv', name, value]),
  ];
}

function fileSystem(stage: Stage): string[] {
  const seen = [...TOOLCHAIN, ...SETTINGS]
    .filter((path) => existsSync(path))
    .map((path) => ({ from: path, at: path }));
  const { builderDisk: disk } = stage;
  return [
    ...folders([...seen, ...stage.visible, ...stage.handed].map(({ at }) => at)),
    ...[...seen, ...stage.visible].flatMap(({ from, at }) => ['--ro-bind', from, at]),
    ...['bin', 'sbin', 'lib', 'lib64'].flatMap((name) => ['--symlink', `usr/${name}`, `/${name}`]),
    ...stage.handed.flatMap(({ from, at }) => ['--bind', from, at]),
    ...['--bind', disk, WITHIN.work],
    ...['--bind', `${disk}/root`, WITHIN.install],
    ...devices(`${WITHIN.install}/dev`),
    ...['--bind', `${disk}/shm`, `${WITHIN.install}/dev/shm`],
    ...processes(`${WITHIN.install}/proc`),
    ...devices('/dev'),
    ...processes('/proc'),
    ...['--symlink', WITHIN.tmp, '/tmp'],
    ...['--remount-ro', '/dev', '--remount-ro', '/', '--chdir', '/'],
  ];
}

/** In a small file system of their own, so that none of it is in the root that they are laid over. */
function devices(at: string): string[] {
  return [
    ...['--size', String(MIB), '--tmpfs', at],
    ...DEVICES.flatMap((name) => ['--dev-bind', `/dev/${name}`, `${at}/${name}`]),
  ];
}

function processes(at: string): string[] {
  const hidden = HIDDEN.filter((name) => existsSync(`/proc/${name}`));
  return ['--proc', at, ...hidden.flatMap((name) => ['--dev-bind', '/dev/null', `${at}/${name}`])];
}

/** Made first and by name: those that bubblewrap makes on its way are open to root alone. */
function folders(paths: readonly string[]): string[] {
  return [...new Set(paths.flatMap(ancestors))].toSorted().flatMap((folder) => ['--dir', folder]);
}

function ancestors(path: string): string[] {
  const parent = dirname(path);
  return parent === '/' ? [] : [...ancestors(parent), parent];
}
