import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EpochSecond, monthStart, nextMonth } from './calendar.ts';
import { divideHalfEven } from './exact.ts';
import {
  CAPPED_SECONDS,
  type Charge,
  chargesOf,
  MINIMUM_SECONDS,
  type PriceStep,
  type Prices,
  type SpanTime,
  worthBetween,
} from './rating.ts';

const second = (text: string): EpochSecond => Date.parse(text) / 1000;

/** Month ends, also of a leap year and with a leap second; the hours that summer time takes and gives. */
const BOUNDARIES = [
  '2026-12-01T00:00:00Z',
  '2028-03-01T00:00:00Z',
  '2017-01-01T00:00:00Z',
  '2026-03-29T01:00:00Z',
  '2026-10-25T01:00:00Z',
].map(second);
const ITEMS = ['compute/a', 'compute/b', 'compute/c'];

const boundary = fc.constantFrom(...BOUNDARIES);

/** What happens to one place: it is used for a while, by one item or another, with gaps, or none after a resize. */
function spansFrom(start: EpochSecond, maxGap: number, maxLength: number): fc.Arbitrary<SpanTime[]> {
  const step = fc.record({
    gap: fc.oneof(fc.constant(0), fc.nat(90), fc.nat(maxGap)),
    length: fc.oneof(fc.constant(0), fc.nat(90), fc.nat(maxLength)),
    item: fc.constantFrom(...ITEMS),
    quantity: fc.integer({ min: 1, max: 3 }),
  });
  return fc.tuple(fc.array(step, { minLength: 1, maxLength: 12 }), fc.boolean()).map(([steps, staysOpen]) => {
    let now = start;
    return steps.map(({ gap, length, item, quantity }, id) => {
      const opened = now + gap;
      now = opened + length;
      const closed = staysOpen && id === steps.length - 1 ? null : now;
      return { id, item, quantity, opened, closed };
    });
  });
}

/** Each item has a price as of ever, and changes it some times. */
function pricesFrom(start: EpochSecond, within: number): fc.Arbitrary<Prices> {
  const hourlyMicro = fc.integer({ min: 0, max: 9_000_000 });
  const changes = fc.uniqueArray(fc.record({ from: fc.nat(within), hourlyMicro }), {
    maxLength: 4,
    selector: ({ from }) => from,
  });
  const steps = fc
    .tuple(hourlyMicro, changes)
    .map(([first, more]): PriceStep[] => [
      { from: 0, hourlyMicro: first },
      ...more.map((step) => ({ ...step, from: start + step.from })).sort((a, b) => a.from - b.from),
    ]);
  return fc
    .tuple(...ITEMS.map(() => steps))
    .map((each) => new Map(ITEMS.map((item, index) => [item, each[index] ?? []])));
}

/** Bills all until `end`, with an invoice at each month's end and at each cut. */
function bill(spans: SpanTime[], prices: Prices, end: EpochSecond, cuts: readonly EpochSecond[]): Charge[] {
  let from = Math.min(...spans.map(({ opened }) => opened));
  const charges: Charge[] = [];
  for (const cut of [...cuts.filter((second) => second < end).sort((a, b) => a - b), end]) {
    while (from < cut) {
      const until = Math.min(cut, nextMonth(from));
      const known = spans.filter(({ opened }) => opened < until);
      charges.push(...chargesOf(known, prices, { from, until }));
      from = until;
    }
  }
  return charges;
}

function sums(
  charges: readonly Charge[],
): Record<string, readonly [seconds: number, billed: number, micro: string, minor: string]> {
  const keys = Map.groupBy(charges, ({ span, hourlyMicro, from }) =>
    [span.id, monthStart(from), hourlyMicro].join(),
  );
  const total = (list: readonly Charge[]): [number, number, string, string] => [
    list.reduce((sum, { seconds }) => sum + seconds, 0),
    list.reduce((sum, { billedSeconds }) => sum + billedSeconds, 0),
    String(list.reduce((sum, { amountMicro }) => sum + amountMicro, 0n)),
    String(list.reduce((sum, { amountMinor }) => sum + amountMinor, 0n)),
  ];
  return Object.fromEntries([...keys].map(([key, list]) => [key, total(list)]).sort());
}

/** Second by second: whose it is, and at which price. What was used less than a minute lasts one, if nobody else comes. */
function secondBySecond(spans: readonly SpanTime[], prices: Prices, end: EpochSecond): Map<string, number> {
  const counted = new Map<string, number>();
  const start = Math.min(...spans.map(({ opened }) => opened));
  for (let now = start; now < end; now += 1) {
    const using = spans.find(({ opened, closed }) => opened <= now && now < (closed ?? end));
    const latest = spans.findLast(({ opened }) => opened <= now);
    const owner = using ?? (latest && now < latest.opened + MINIMUM_SECONDS ? latest : undefined);
    const price = owner && prices.get(owner.item)?.findLast(({ from }) => from <= now);
    if (!owner || !price) continue;
    const key = [owner.id, monthStart(now), price.hourlyMicro].join();
    counted.set(key, (counted.get(key) ?? 0) + 1);
  }
  return counted;
}

describe('rating', () => {
  it('gives the seconds that a clock would count, each to one span at one price, in any order of events', () => {
    const story = boundary.chain((moment) =>
      fc.record({
        spans: spansFrom(moment - 900, 200, 400),
        prices: pricesFrom(moment - 1200, 2000),
        cuts: fc.array(
          fc.nat(2400).map((after) => moment - 900 + after),
          { maxLength: 4 },
        ),
        end: fc.nat(2400).map((after) => moment - 899 + after),
      }),
    );
    fc.assert(
      fc.property(story, ({ spans, prices, cuts, end }) => {
        const known = spans.filter(({ opened }) => opened < end);
        fc.pre(known.length > 0);
        const billed = sums(bill(known, prices, end, cuts));
        const seconds = Object.entries(billed).map(([key, [count]]) => [key, count] as const);
        expect(Object.fromEntries(seconds)).toEqual(Object.fromEntries(secondBySecond(known, prices, end)));
      }),
      { numRuns: 300 },
    );
  });

  const longStory = boundary.chain((moment) =>
    fc.record({
      spans: spansFrom(moment - 20 * 86_400, 5 * 86_400, 30 * 86_400),
      prices: pricesFrom(moment - 30 * 86_400, 90 * 86_400),
      cuts: fc.array(
        fc.nat(90 * 86_400).map((after) => moment - 20 * 86_400 + after),
        { maxLength: 5 },
      ),
      end: fc.nat(90 * 86_400).map((after) => moment - 20 * 86_400 + 1 + after),
    }),
  );

  it('costs the same to the minor unit however often it is billed in between', () => {
    fc.assert(
      fc.property(longStory, ({ spans, prices, cuts, end }) => {
        const known = spans.filter(({ opened }) => opened < end);
        fc.pre(known.length > 0);
        const once = sums(bill(known, prices, end, []));
        const inParts = sums(bill(known, prices, end, cuts));
        const paid = Object.entries(once).filter(([, total]) => String(total) !== '0,0,0,0');
        expect(inParts).toEqual(Object.fromEntries(paid));
      }),
      { numRuns: 500 },
    );
  });

  it('tells in one pass what each day adds, to the micro-unit what it is day by day', () => {
    const day = 86_400;
    fc.assert(
      fc.property(longStory, fc.nat(31 * day), ({ spans, prices, end }, back) => {
        const first = Math.max(monthStart(end), end - back);
        const moments = [first];
        for (let at = first - (first % day) + day; at < end; at += day) moments.push(at);
        moments.push(end);
        const each = moments.slice(1).map((until, index) => {
          const charges = chargesOf(spans, prices, { from: moments[index] ?? 0, until });
          return {
            seconds: charges.reduce((sum, { seconds }) => sum + seconds, 0),
            amountMicro: charges.reduce((sum, { amountMicro }) => sum + amountMicro, 0n),
          };
        });
        expect(worthBetween(spans, prices, moments)).toEqual(each);
      }),
      { numRuns: 300 },
    );
  });

  it('bills 672 hours of a month at most, the dearest, so that no resize beats the cap either way', () => {
    fc.assert(
      fc.property(longStory, ({ spans, prices, end }) => {
        const known = spans.filter(({ opened }) => opened < end);
        fc.pre(known.length > 0);
        const months = Map.groupBy(bill(known, prices, end, []), ({ from }) => monthStart(from));
        for (const charges of months.values()) {
          const used = charges.reduce((sum, { seconds }) => sum + seconds, 0);
          const billed = charges.reduce((sum, { billedSeconds }) => sum + billedSeconds, 0);
          expect(billed).toBe(Math.min(used, CAPPED_SECONDS));
          const rates = (list: Charge[]) => list.map(({ hourlyMicro, span }) => hourlyMicro * span.quantity);
          const dearestLeft = Math.max(-1, ...rates(charges.filter((c) => c.billedSeconds < c.seconds)));
          const cheapestPaid = Math.min(
            Number.MAX_VALUE,
            ...rates(charges.filter((c) => c.billedSeconds > 0)),
          );
          expect(cheapestPaid).toBeGreaterThanOrEqual(dearestLeft);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('rounds each line once from its exact worth', () => {
    fc.assert(
      fc.property(longStory, ({ spans, prices, end }) => {
        const known = spans.filter(({ opened }) => opened < end);
        fc.pre(known.length > 0);
        for (const line of bill(known, prices, end, [])) {
          const worth = BigInt(line.hourlyMicro * line.span.quantity) * BigInt(line.billedSeconds);
          expect(line.amountMinor).toBe(divideHalfEven(worth, 3_600_000_000n));
          expect(line.amountMicro).toBe(divideHalfEven(worth, 3600n));
        }
      }),
      { numRuns: 200 },
    );
  });

  it('caps a whole month at 672 hours, in the month of the leap day too', () => {
    const prices: Prices = new Map([['compute/a', [{ from: 0, hourlyMicro: 625_000 }]]]);
    const span = { id: 1, item: 'compute/a', quantity: 1, opened: 0, closed: null };
    for (const month of ['2026-02-01', '2028-02-01', '2026-07-01']) {
      const from = second(`${month}T00:00:00Z`);
      const [line, ...more] = chargesOf([span], prices, { from, until: nextMonth(from) });
      expect(more).toEqual([]);
      expect(line).toMatchObject({
        seconds: nextMonth(from) - from,
        billedSeconds: CAPPED_SECONDS,
        amountMinor: 420n,
      });
    }
  });

  it('refuses to guess a price', () => {
    const span = { id: 1, item: 'compute/a', quantity: 1, opened: 10, closed: 100 };
    const late: Prices = new Map([['compute/a', [{ from: 50, hourlyMicro: 1 }]]]);
    for (const prices of [late, new Map()]) {
      expect(() => chargesOf([span], prices, { from: 0, until: 200 })).toThrow('had no price');
    }
  });
});

describe('divideHalfEven', () => {
  it('takes the nearest, and of two equally near the even one', () => {
    fc.assert(
      fc.property(
        fc.bigInt(-(10n ** 20n), 10n ** 20n),
        fc.bigInt(1n, 10n ** 10n),
        (numerator, denominator) => {
          const quotient = divideHalfEven(numerator, denominator);
          const off = numerator - quotient * denominator;
          const twice = (off < 0n ? -off : off) * 2n;
          expect(twice <= denominator).toBe(true);
          if (twice === denominator) expect(quotient % 2n).toBe(0n);
        },
      ),
    );
    const halves = [-5n, -3n, -1n, 1n, 3n, 5n].map((numerator) => divideHalfEven(numerator, 2n));
    expect(halves).toEqual([-2n, -2n, 0n, 0n, 2n, 2n]);
  });
});
