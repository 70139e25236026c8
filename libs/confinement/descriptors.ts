import { readdirSync, readFileSync } from 'node:fs';

type Descriptor = number | 'ignore' | 'pipe';

const O_CLOEXEC = 0o2000000;

/**
 * The descriptors of a child, for spawn(): those `given`, and `nothing` over every further one that our own parent left
 * open for children (Node closes its own). What runs within inherits what it is given and nothing else.
 */
export function withoutInherited(given: readonly Descriptor[], nothing: number): Descriptor[] {
  const left = readdirSync('/proc/self/fd').map(Number).filter(isInherited);
  const length = Math.max(given.length, ...left.map((fd) => fd + 1));
  return Array.from({ length }, (_, fd) => given[fd] ?? (left.includes(fd) ? nothing : 'ignore'));
}

function isInherited(fd: number): boolean {
  const flags = /^flags:\s+([0-7]+)/m.exec(readIfThere(`/proc/self/fdinfo/${fd}`))?.[1];
  return flags !== undefined && (Number.parseInt(flags, 8) & O_CLOEXEC) === 0;
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
