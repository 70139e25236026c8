import { beforeAll, expect, it } from 'vitest';
import { testDatabase } from '../../test/support/test-database.ts';
import {
  addAddresses,
  addressPools,
  claimAddress,
  inheritAddress,
  releaseAddress,
  removeAddresses,
} from './address-pool.ts';
import { parseAddressRun } from './address-run.ts';

const database = testDatabase();

beforeAll(async () => {
  const { manager } = database.dataSource;
  await manager.query(
    `INSERT INTO locations (id, name, description, city, country, network_zone) VALUES (1, 'here', '', '', 'DE', 'z')`,
  );
  // The rows of servers are another feature's.
  await manager.query('ALTER TABLE address_heirs DROP CONSTRAINT address_heirs_server_id_fkey');
  await addAddresses(manager, {
    locationId: 1,
    prefixLength: 24,
    gateway: '10.1.0.1',
    ...parseAddressRun('10.1.0.2-10.1.0.3'),
  });
});

/** One transaction begins, another waits for it, and it commits. @returns what has become of the other one */
async function crossed(
  first: Parameters<typeof database.dataSource.transaction<void>>[1],
  second: () => Promise<unknown>,
) {
  const { dataSource } = database;
  let other: Promise<unknown> | undefined;
  await dataSource.transaction(async (manager) => {
    await first(manager);
    other = second().catch((error: unknown) => error);
    const waiting = () =>
      dataSource.query<unknown[]>(
        `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
    await expect.poll(waiting, { timeout: 10_000 }).not.toEqual([]);
  });
  return other;
}

it('an address that was just inherited is not taken out of its pool', async () => {
  const { dataSource } = database;
  const [original, copy] = [7, 8];
  const run = parseAddressRun((await claimAddress(dataSource.manager, original, 1)).ip);
  const removal = await crossed(
    async (manager) => {
      await inheritAddress(manager, copy, original);
      await releaseAddress(manager, original);
    },
    () => removeAddresses(dataSource.manager, run),
  );
  expect(removal).toMatchObject({ code: 'addresses_in_use' });
});

it('an address that was just taken out of its pool is not inherited', async () => {
  const { dataSource } = database;
  const [original, copy] = [9, 10];
  const run = parseAddressRun((await claimAddress(dataSource.manager, original, 1)).ip);
  const inheritance = await crossed(
    async (manager) => {
      await releaseAddress(manager, original);
      await removeAddresses(manager, run);
    },
    () => inheritAddress(dataSource.manager, copy, original),
  );
  expect(inheritance).toMatchObject({ code: 'addresses_exhausted' });
  expect(await addressPools(dataSource.manager)).toMatchObject([{ total: 1 }]);
});
