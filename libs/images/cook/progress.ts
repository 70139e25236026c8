/** `waiting`: for another cook in the same folder. */
export type CookStage = 'waiting' | 'choose' | 'fetch' | 'install' | 'furnish' | 'disk' | 'convert' | 'done';

export interface CookProgress {
  readonly stage: CookStage;
  /** Of the whole cook, 0 to 100; never falls. */
  readonly percent: number;
  readonly message: string;
}

/** Where each stage begins in the whole, in percent: measured shares of a cook on two cores. */
const stageStart: Readonly<Record<CookStage, number>> = {
  waiting: 0,
  choose: 0,
  fetch: 4,
  install: 15,
  furnish: 75,
  disk: 78,
  convert: 92,
  done: 100,
};
const stages = Object.keys(stageStart) as CookStage[];

/** Tells of stages, each by its own percent, as progress of the whole. */
export function progressTeller(tell: (progress: CookProgress) => void) {
  let percent = 0;
  return (stage: CookStage, percentOfStage: number, message: string): void => {
    const next = stages[stages.indexOf(stage) + 1];
    const start = stageStart[stage];
    const end = next === undefined ? start : stageStart[next];
    percent = Math.max(percent, start + ((end - start) * percentOfStage) / 100);
    tell({ stage, percent, message });
  };
}
