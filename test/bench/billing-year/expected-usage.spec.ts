import { describe, expect, it } from 'vitest';
import { halfEven, stintsOf, worthByMonth } from './expected-usage.ts';
import { START } from './market.ts';
import type { PriceChange, ServerLife, UsageAct } from './record.ts';

const HOUR = 3_600_000;

function worthOf(acts: readonly UsageAct[], place: string, changes: readonly PriceChange[] = []) {
  const server: ServerLife = { serverId: 1, name: 'vm-1', customer: 0, image: 'debian', acts };
  const stints = stintsOf(server, Date.UTC(2033, 0) / 1000).get(place) ?? [];
  return worthByMonth(stints, changes, 12);
}

const open = { what: 'open', at: START, type: 's2' } as const;

describe('what usage is worth, reckoned by hand', () => {
  it('is an hour at the price of an hour', () => {
    const [january] = worthOf([open, { what: 'close', at: START + HOUR }], 'compute ');
    expect(january).toEqual({ seconds: 3600n, billedSeconds: 3600n, micro: 1_000_007n, minor: 1n });
  });

  it('is a minute at least, and counts whole seconds within', () => {
    const [short] = worthOf(
      [
        { ...open, at: START + 200 },
        { what: 'close', at: START + 5900 },
      ],
      'disk ',
    );
    expect(short).toMatchObject({ seconds: 60n, micro: 4167n });
    const [long] = worthOf(
      [
        { ...open, at: START + 200 },
        { what: 'close', at: START + 100_900 },
      ],
      'disk ',
    );
    expect(long?.seconds).toBe(99n);
  });

  it('is 672 hours of a month at most, and as long as the month in seconds', () => {
    const [january, february] = worthOf([open], 'compute ');
    expect(january).toMatchObject({ seconds: 31n * 86_400n, billedSeconds: 672n * 3600n });
    expect(january?.micro).toBe(672n * 1_000_007n);
    expect(february).toMatchObject({ seconds: 29n * 86_400n, billedSeconds: 672n * 3600n });
  });

  it('stops while the server is off, and goes on at the price of its new size', () => {
    const acts: UsageAct[] = [
      open,
      { what: 'stop', at: START + HOUR },
      { what: 'resize', at: START + 2 * HOUR, type: 's4' },
      { what: 'start', at: START + 3 * HOUR },
      { what: 'close', at: START + 4 * HOUR },
    ];
    expect(worthOf(acts, 'compute ')[0]).toMatchObject({ seconds: 7200n, micro: 1_000_007n + 2_100_000n });
    expect(worthOf(acts, 'disk ')[0]).toMatchObject({
      seconds: 14_400n,
      micro: 2n * 250_013n + 2n * 499_999n,
    });
  });

  it('changes with the price from the second on from which that holds', () => {
    const from = START + HOUR / 2;
    const change = { item: 'compute/s2', from, toldAt: START, hourlyMicro: 2_000_000 };
    const [january] = worthOf([open, { what: 'close', at: START + HOUR }], 'compute ', [change]);
    expect(january?.micro).toBe(halfEven(1_000_007n, 2n) + 1_000_000n);
  });
});
