import { withBenchFolder } from './bench-folder.ts';
import { Kitchen } from './cook/kitchen.ts';
import { alternate, report, roundsWanted } from './rounds.ts';

/**
 * A cook to a disk that starts by itself against mmdebstrap alone, which installs the same packages into a folder; and the
 * same of a recipe whose base was cooked before. All packages are downloaded first.
 */
const UNIT = 'seconds';
const BARE = 'mmdebstrap alone';

const rounds = roundsWanted(3, 1);
await withBenchFolder(async ({ path, signal }) => {
  const kitchen = new Kitchen(path, signal);
  const [base, upon] = await Promise.all([kitchen.recipe('debian-12'), kitchen.recipe('web')]);
  console.log(`downloading and cooking ${base.name} and ${upon.name} once`);
  await kitchen.prepare(base);
  await kitchen.prepare(upon);
  const bare = (recipe: typeof base) => ({ name: BARE, measure: () => kitchen.installBare(recipe) });
  const whole = { name: `cook of ${base.name}`, measure: () => kitchen.cookFromNothing(base) };
  const second = { name: `cook of ${upon.name} upon it`, measure: () => kitchen.cookUponItsBase(upon) };
  for (const [ours, recipe] of [[whole, base] as const, [second, upon] as const]) {
    const comparison = await alternate(ours, bare(recipe), rounds, UNIT);
    console.log(`\n${report(comparison, { ours: ours.name, baseline: BARE }, UNIT)}\n`);
  }
});
