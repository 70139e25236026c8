import {
  accessSync,
  constants,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { WallOrder } from './order.ts';

const MOUNTED_AT = '/sys/fs/cgroup';
const PREFIX = 'servery-cook-';
const NEEDED = ['memory', 'pids'];

/**
 * A control group (version 2) with the kernel's own limits for all processes behind the wall together, where this machine
 * has them and lets us: next to our own group, as that must hold no processes beside groups. Undefined elsewhere.
 */
export function controlGroup({ limits }: WallOrder, tasks: number) {
  const parent = usableParent();
  if (parent === undefined) return undefined;
  removeAbandoned(parent);
  const folder = join(parent, `${PREFIX}${process.pid}`);
  mkdirSync(folder);
  const set = (file: string, value: string | number) => writeFileSync(join(folder, file), String(value));
  set('memory.max', limits.memoryMib * 1024 * 1024);
  set('memory.oom.group', 1);
  set('pids.max', tasks);
  // A machine without swap has no such file.
  ignoring(() => set('memory.swap.max', 0));
  return {
    /** What becomes of this command is in the group from its first moment. */
    enter: ['sh', '-c', 'echo $$ > "$0" && exec "$@"', join(folder, 'cgroup.procs')],
    ranOutOfMemory: () => /^oom_kill [1-9]/m.test(readFileSync(join(folder, 'memory.events'), 'utf8')),
    [Symbol.dispose]: () => ignoring(() => rmdirSync(folder)),
  };
}

function usableParent(): string | undefined {
  const own = /^0::(\/.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1];
  if (own === undefined) return undefined;
  for (let path = own; ; path = dirname(path)) {
    const folder = join(MOUNTED_AT, path);
    if (givesOn(folder)) return folder;
    if (path === '/') return undefined;
  }
}

/** Whether groups in `folder` have the limits that we need, and we may make and fill one. */
function givesOn(folder: string): boolean {
  return (
    ignoring(() => {
      const given = readFileSync(join(folder, 'cgroup.subtree_control'), 'utf8').trim().split(' ');
      if (!NEEDED.every((name) => given.includes(name))) return false;
      for (const path of [folder, join(folder, 'cgroup.procs')]) accessSync(path, constants.W_OK);
      return true;
    }) ?? false
  );
}

/** A group of a keeper that was killed is empty; one that is in use cannot be removed. */
function removeAbandoned(parent: string): void {
  for (const name of readdirSync(parent)) {
    if (name.startsWith(PREFIX)) ignoring(() => rmdirSync(join(parent, name)));
  }
}

function ignoring<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
