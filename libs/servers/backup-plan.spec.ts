import fc from 'fast-check';
import { expect, it } from 'vitest';
import { WINDOW_BEGINS } from './backup-plan.entity.ts';
import { nextBackupAt } from './backup-plan.ts';

const HOUR_MILLISECONDS = 3_600_000;
const plans = fc.record({
  serverId: fc.integer({ min: 1, max: 2 ** 53 - 1 }),
  windowBeginsHour: fc.constantFrom(...WINDOW_BEGINS),
  weekday: fc.option(fc.integer({ min: 0, max: 6 })),
});
const moments = fc.date({ min: new Date('2026-01-01'), max: new Date('2030-01-01'), noInvalidDate: true });

it('makes each backup in its window, on its day, a day or a week after the one before', () => {
  fc.assert(
    fc.property(plans, moments, (plan, after) => {
      const days = plan.weekday === null ? 1 : 7;
      const first = nextBackupAt(plan, after);
      const begins = new Date(first);
      begins.setUTCHours(first.getUTCHours() - (first.getUTCHours() < plan.windowBeginsHour ? 24 : 0));
      begins.setUTCHours(plan.windowBeginsHour, 0, 0, 0);
      expect(first.getTime() - begins.getTime()).toBeGreaterThanOrEqual(0);
      expect(first.getTime() - begins.getTime()).toBeLessThan(4 * HOUR_MILLISECONDS);
      if (plan.weekday !== null) expect(begins.getUTCDay()).toBe(plan.weekday);
      expect(first > after && first.getTime() - after.getTime() <= days * 24 * HOUR_MILLISECONDS).toBe(true);
      expect(nextBackupAt(plan, first).getTime() - first.getTime()).toBe(days * 24 * HOUR_MILLISECONDS);
    }),
  );
});
