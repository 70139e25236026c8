import type { PaginationWire } from '#libs/contracts';

/** As many entries as the API gives at once. */
export const PER_PAGE = 50;

interface Answer {
  readonly meta: { readonly pagination: PaginationWire };
}

/** All entries of a list that people keep short, such as SSH keys: its pages, one after another. */
export async function everyPage<A extends Answer, T>(
  ask: (page: number) => Promise<A>,
  entriesOf: (answer: A) => readonly T[],
): Promise<T[]> {
  const entries: T[] = [];
  for (let page: number | null = 1; page !== null; ) {
    const answer: A = await ask(page);
    entries.push(...entriesOf(answer));
    page = answer.meta.pagination.next_page;
  }
  return entries;
}
