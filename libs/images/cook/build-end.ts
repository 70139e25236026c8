import { sayEnd } from '#libs/kernel';
import { type CookErrorCode, cookError } from './cook.errors.ts';
import type { CookLimits } from './limits.ts';
import type { WallEnd } from './wall/order.ts';

export interface BuildFacts {
  readonly limits: CookLimits;
  readonly lastLines: readonly string[];
}

type Refusal = readonly [code: CookErrorCode, message: string];

const MIB = 1024 * 1024;

/**
 * Says why a build behind the wall did not end well, by what was seen from outside of it, and what to do next.
 * @throws DomainError with a CookErrorCode
 */
export function assertBuilt(end: WallEnd, facts: BuildFacts): void {
  if (end.stoppedBy === null && end.exitCode === 0) return;
  const [code, message] = end.stoppedBy ? stopped(end.stoppedBy, facts) : failed(end, facts);
  throw cookError(code, message, { details: { ...facts } });
}

function stopped(by: NonNullable<WallEnd['stoppedBy']>, { limits }: BuildFacts): Refusal {
  const { wallSeconds, cpuSeconds, memoryMib, processes, logBytes } = limits;
  const refusals: Record<typeof by, Refusal> = {
    wall_time: [
      'cook_out_of_time',
      `The build was stopped after ${wallSeconds} s. Install less in one recipe, and find what waits in its log.`,
    ],
    cpu_time: [
      'cook_out_of_time',
      `The build was stopped after ${cpuSeconds} s of computing. Install less in one recipe, and find what computes in its log.`,
    ],
    memory: [
      'cook_out_of_memory',
      `The build wanted more than ${memoryMib} MiB of memory. Find the package whose installation needs that much, and leave it out.`,
    ],
    processes: [
      'cook_too_many_processes',
      `The build started more than ${processes} processes. Find the package whose installation does so, and leave it out.`,
    ],
    output: [
      'cook_output_too_long',
      `The build printed more than ${Math.floor(logBytes / MIB)} MiB. Find what prints in the end of its log, and leave it out.`,
    ],
    machine_disk: [
      'cook_no_space',
      'The disk of the machine that builds is nearly full, so the build was stopped. Its operator must make room; then cook again.',
    ],
    machine_memory: [
      'cook_out_of_memory',
      'The machine that builds has hardly any memory left, so the build was stopped. Cook again when it has less to do.',
    ],
  };
  return refusals[by];
}

function failed({ diskWasFull, signal }: WallEnd, { limits, lastLines }: BuildFacts): Refusal {
  if (diskWasFull) {
    const size = `${limits.diskGib} GiB`;
    return [
      'cook_disk_full',
      `The builder's disk of ${size} is full. Give the recipe a larger minimum.diskGib, or install less.`,
    ];
  }
  const said = lastLines.map((line) => `\n  ${line}`).join('');
  if (signal !== null) {
    const how = sayEnd({ exitCode: null, signal });
    const mostly = signal === 'SIGKILL' ? ', mostly for its machine had no memory left' : '';
    return [
      'cook_step_failed',
      `The build ${how}${mostly}. Cook again; where it ends alike, leave out what its last lines name:${said}`,
    ];
  }
  return [
    'cook_step_failed',
    `The build failed. Mend the recipe by the last lines of its log, and cook again:${said}`,
  ];
}
