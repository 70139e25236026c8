import { type BooksDifference, type MovedDifferently, movedDifferently, movementsMinor } from '#libs/billing';
import type { CollectingDeps } from './collecting-deps.ts';
import { sweepBalance } from './sweep-balance.ts';

/** What differs is looked at so often before it is a difference: money moves while we look. */
const ROUNDS = 3;
/** So many objects are named. */
const MOST_NAMED = 20;

type Balance = ReadonlyMap<string, number>;

/**
 * Compares the clearing account with the balance at the provider, available and pending, by currency. What was swept has to
 * be the balance, and of each payment and dispute the books have to have what moved the balance. What differs is brought into
 * the books by `mend`; what differs even then is answered, with the movements that nothing of ours explains.
 * @throws PaymentError `provider_unavailable`
 */
export async function compareBalance(
  deps: CollectingDeps,
  mend: (of: Pick<MovedDifferently, 'kind' | 'id'>) => Promise<unknown>,
): Promise<BooksDifference[]> {
  const { manager } = deps.dataSource;
  const stubborn = new Map<string, number>();
  let balance: Balance = new Map();
  let differing: MovedDifferently[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    balance = await sweptBalance(deps);
    differing = await movedDifferently(manager);
    for (const one of differing) stubborn.set(keyOf(one), (stubborn.get(keyOf(one)) ?? 0) + 1);
    if (differing.length === 0) break;
    if (round < ROUNDS) for (const one of differing) await mend(one);
  }
  const lasting = differing.filter((one) => stubborn.get(keyOf(one)) === ROUNDS);
  const swept = await movementsMinor(manager);
  const currencies = new Set([
    ...balance.keys(),
    ...swept.keys(),
    ...lasting.map(({ currency }) => currency),
  ]);
  return [...currencies].flatMap((currency) =>
    differenceIn(currency, balance.get(currency) ?? 0, swept.get(currency) ?? 0, lasting),
  );
}

/** The balance at a moment up to which everything was swept. Where a movement is missing, all are looked at anew. */
async function sweptBalance(deps: CollectingDeps): Promise<Balance> {
  await sweepBalance(deps);
  let balance: Balance = new Map();
  for (let round = 1; round <= ROUNDS; round += 1) {
    const there = await deps.provider.balance.fetch();
    balance = new Map(there.map(({ currency, amountMinor }) => [currency, amountMinor]));
    if (areSame(balance, await movementsMinor(deps.dataSource.manager))) return balance;
    await sweepBalance(deps, { isFull: round > 1 });
  }
  return balance;
}

function areSame(one: Balance, other: Balance): boolean {
  const currencies = new Set([...one.keys(), ...other.keys()]);
  return [...currencies].every((currency) => (one.get(currency) ?? 0) === (other.get(currency) ?? 0));
}

function differenceIn(
  currency: string,
  thereMinor: number,
  sweptMinor: number,
  lasting: readonly MovedDifferently[],
): BooksDifference[] {
  const off = lasting.filter((one) => one.currency === currency);
  const hereMinor = sweptMinor + off.reduce((sum, one) => sum + one.bookedMinor - one.movedMinor, 0);
  if (off.length === 0 && hereMinor === thereMinor) return [];
  const details = {
    inBooksMinor: hereMinor,
    atProviderMinor: thereMinor,
    notListedMinor: thereMinor - sweptMinor,
    unexplained: off.slice(0, MOST_NAMED).map(({ currency: _, ...one }) => one),
    moreUnexplained: Math.max(0, off.length - MOST_NAMED),
  };
  const rule = 'the clearing account is the balance at the provider';
  return [{ rule, subject: currency, differsBy: String(hereMinor - thereMinor), details }];
}

function keyOf({ kind, id, currency }: MovedDifferently): string {
  return `${kind} ${id} ${currency}`;
}
