import type { Visible } from '#libs/confinement';
import type { CookLimits } from '../limits.ts';

/** What the keeper is asked to run: one line of JSON on its standard input, which stays open for as long as it may run. */
export interface WallOrder {
  /** A program and its arguments, by their paths behind the wall. */
  readonly argv: readonly [string, ...string[]];
  /** Its standard input. */
  readonly input: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Seen read-only. */
  readonly visible: readonly Visible[];
  /** Empty files of ours that it may fill: the only thing that comes out beside what it prints. */
  readonly handed: readonly Visible[];
  /** None of those grows beyond this. */
  readonly fileBytes: number;
  /** A folder of ours in which the builder's disk is made; on this file system room is watched. */
  readonly scratchDir: string;
  readonly limits: CookLimits;
  /** Whether the keeper is root in a namespace of ours alone, and not on this machine. */
  readonly isRootless: boolean;
}

/** Which limit ended a run; the last two are this machine's own room. */
export const STOPS = [
  'wall_time',
  'cpu_time',
  'memory',
  'processes',
  'output',
  'machine_disk',
  'machine_memory',
] as const;

export interface WallEnd {
  readonly exitCode: number | null;
  /** The signal that ended it, also where its sandbox tells that by an exit code. */
  readonly signal: string | null;
  readonly stoppedBy: (typeof STOPS)[number] | null;
  /** Whether the builder's disk was seen with no room left. */
  readonly diskWasFull: boolean;
}

/** What the keeper answers, a line of JSON each: what the program printed, the end, or why there is no wall. */
export type KeeperLine =
  | { readonly said: string }
  | { readonly end: WallEnd }
  | { readonly unavailable: string };
