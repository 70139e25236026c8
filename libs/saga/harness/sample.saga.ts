import type { DataSource } from 'typeorm';
import { z } from 'zod';
import { deps, saga, sagaRequest } from '../define.ts';

/** The world outside of the sample: things that were made, by key, and how often they were asked for. */
export class SampleWorld {
  constructor(private readonly dataSource: DataSource) {}

  static async createTables(dataSource: DataSource): Promise<void> {
    await dataSource.query('CREATE TABLE made (key text PRIMARY KEY, asked int NOT NULL)');
    await dataSource.query('CREATE TABLE booked (key text PRIMARY KEY, times int NOT NULL)');
  }

  /** Finds what an earlier try has made. */
  async make(key: string): Promise<void> {
    await this.dataSource.query(
      'INSERT INTO made VALUES ($1, 1) ON CONFLICT (key) DO UPDATE SET asked = made.asked + 1',
      [key],
    );
  }

  /** Finds nothing when it was unmade before, or never made. */
  async unmake(key: string): Promise<void> {
    await this.dataSource.query('DELETE FROM made WHERE key = $1', [key]);
  }

  async isMade(key: string): Promise<boolean> {
    const rows: unknown[] = await this.dataSource.query('SELECT 1 FROM made WHERE key = $1', [key]);
    return rows.length > 0;
  }

  /** Everything there is, outside (`made`) and inside the database (`booked`), for one trip. */
  async traces(tripId: string): Promise<string[]> {
    const rows: { trace: string }[] = await this.dataSource.query(
      `SELECT 'made ' || split_part(key, ':', 2) AS trace FROM made WHERE key LIKE $1 || ':%'
       UNION ALL SELECT 'booked ' || split_part(key, ':', 2) || ' x' || times FROM booked WHERE key LIKE $1 || ':%'
       ORDER BY trace`,
      [tripId],
    );
    return rows.map(({ trace }) => trace);
  }
}

export const planTrip = sagaRequest('plan-trip', z.object({ tripId: z.string() }));

/** One step of every sort: outside, inside, both, a wait, and one past the point of no return. */
export const planTripSaga = saga(planTrip, deps<{ world: SampleWorld }>())
  .step('hotel', {
    do: async ({ params, deps: { world } }) => {
      await world.make(`${params.tripId}:hotel`);
      return { hotel: 'Adler' };
    },
    undo: async ({ params, deps: { world } }) => world.unmake(`${params.tripId}:hotel`),
  })
  .step('seat', {
    transact: async (manager, { params }) => {
      await manager.query(
        'INSERT INTO booked VALUES ($1, 1) ON CONFLICT (key) DO UPDATE SET times = booked.times + 1',
        [`${params.tripId}:seat`],
      );
      return { seat: 7 };
    },
    undoTransact: async (manager, { params }) => {
      await manager.query('DELETE FROM booked WHERE key = $1', [`${params.tripId}:seat`]);
    },
  })
  .step('taxi', {
    do: async ({ params, deps: { world } }) => world.make(`${params.tripId}:taxi`),
    commit: async (manager, { params }) => {
      await manager.query(
        'INSERT INTO booked VALUES ($1, 1) ON CONFLICT (key) DO UPDATE SET times = booked.times + 1',
        [`${params.tripId}:taxi`],
      );
    },
    undo: async ({ params, deps: { world } }) => world.unmake(`${params.tripId}:taxi`),
    undoTransact: async (manager, { params }) => {
      await manager.query('DELETE FROM booked WHERE key = $1', [`${params.tripId}:taxi`]);
    },
  })
  .wait('hotel-confirms', {
    deadlineSeconds: 60,
    everySeconds: 1,
    check: async ({ params, deps: { world }, attempt }) =>
      (await world.isMade(`${params.tripId}:hotel`)) ? { confirmedAtTry: attempt } : undefined,
    noUndo: 'only looks',
  })
  .pointOfNoReturn('the ticket cannot be returned')
  .step('ticket', {
    do: async ({ params, outputs, deps: { world } }) => {
      await world.make(`${params.tripId}:ticket`);
      return { ticket: `seat ${outputs.seat.seat}, ${outputs.hotel.hotel}` };
    },
  })
  .build();

export const ALL_TRACES = ['booked seat x1', 'booked taxi x1', 'made hotel', 'made taxi', 'made ticket'];
