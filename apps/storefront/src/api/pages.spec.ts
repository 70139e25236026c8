import { describe, expect, it } from 'vitest';
import type { PaginationWire } from '#libs/contracts';
import { everyPage } from './pages.ts';

function pagination(page: number, lastPage: number): PaginationWire {
  return {
    page,
    per_page: 2,
    previous_page: page > 1 ? page - 1 : null,
    next_page: page < lastPage ? page + 1 : null,
    last_page: lastPage,
    total_entries: lastPage * 2,
  };
}

describe('a list of several pages', () => {
  it('is read to its end, in order, each page once', async () => {
    const asked: number[] = [];
    const entries = await everyPage(
      async (page) => {
        asked.push(page);
        return { keys: [`${page}a`, `${page}b`], meta: { pagination: pagination(page, 3) } };
      },
      ({ keys }) => keys,
    );
    expect(entries).toEqual(['1a', '1b', '2a', '2b', '3a', '3b']);
    expect(asked).toEqual([1, 2, 3]);
  });

  it('is not read on after a page that failed', async () => {
    const asked: number[] = [];
    const reading = everyPage(
      async (page) => {
        asked.push(page);
        if (page === 2) throw new Error('lost');
        return { keys: [page], meta: { pagination: pagination(page, 3) } };
      },
      ({ keys }) => keys,
    );
    await expect(reading).rejects.toThrow('lost');
    expect(asked).toEqual([1, 2]);
  });
});
