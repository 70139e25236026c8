import { parseArgs } from 'node:util';

/** One side of a comparison. Each round of it gives one figure. */
export interface Contender {
  readonly name: string;
  measure(round: number): Promise<number>;
}

export interface Comparison {
  readonly ours: readonly number[];
  readonly baseline: readonly number[];
}

/**
 * The number after `--rounds`; `fallback` without it. @param others options that the bench has besides
 * @throws Error unless it is a whole number from `least` on
 */
export function roundsWanted(fallback: number, least: number, others: readonly string[] = []): number {
  const option = { type: 'string' } as const;
  const { values } = parseArgs({
    options: { ...Object.fromEntries(others.map((name) => [name, option])), rounds: option },
  });
  const rounds = Number(values.rounds ?? fallback);
  if (Number.isInteger(rounds) && rounds >= least) return rounds;
  throw new Error(`--rounds wants a whole number of at least ${least}, not ${values.rounds}`);
}

/** Runs both in turn, and each round in the other order, so that neither has the warmer machine every time. */
export async function alternate(
  ours: Contender,
  baseline: Contender,
  rounds: number,
  unit: string,
): Promise<Comparison> {
  const figures = new Map<Contender, number[]>([
    [ours, []],
    [baseline, []],
  ]);
  for (let round = 1; round <= rounds; round += 1) {
    for (const contender of round % 2 === 1 ? [ours, baseline] : [baseline, ours]) {
      const figure = await contender.measure(round);
      figures.get(contender)?.push(figure);
      console.log(`round ${round}: ${contender.name.padEnd(28)} ${figure.toFixed(1).padStart(9)} ${unit}`);
    }
  }
  return { ours: figures.get(ours) ?? [], baseline: figures.get(baseline) ?? [] };
}

/** Medians, their spread, and the ratio of ours to the baseline: round by round, of the medians, and of the fastest. */
export function report(
  { ours, baseline }: Comparison,
  names: { ours: string; baseline: string },
  unit: string,
): string {
  const ratios = ours.map((figure, round) => figure / (baseline[round] ?? Number.NaN));
  const ofMedians = (median(ours) / median(baseline)).toFixed(2);
  const ofFastest = (Math.min(...ours) / Math.min(...baseline)).toFixed(2);
  return [
    `${names.ours}: ${spread(ours, 1)} ${unit}`,
    `${names.baseline}: ${spread(baseline, 1)} ${unit}`,
    `ratio: ${spread(ratios, 2)}; of the medians ${ofMedians}, of the fastest ${ofFastest}`,
  ].join('\n');
}

function spread(figures: readonly number[], digits: number): string {
  const [middle, least, most] = [median(figures), Math.min(...figures), Math.max(...figures)].map((figure) =>
    figure.toFixed(digits),
  );
  return `median ${middle} (${least} to ${most}, ${figures.length} rounds)`;
}

/** @param figures in any order; NaN of none */
export function median(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? Number.NaN;
  return Number.isInteger(middle) ? (upper + (sorted[middle - 1] ?? Number.NaN)) / 2 : upper;
}
