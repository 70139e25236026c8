import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { DomainSample } from '#libs/hypervisor';
import { newUuid } from '#libs/kernel';
import { testDatabase } from '../../test/support/test-database.ts';
import { mapCounters } from './counters.ts';
import { MetricsService } from './metrics.service.ts';
import { recordSamples, samplesOf } from './sample-store.ts';
import { thinSamples } from './thinning.ts';

const HOST = 3;
const SERVER = 4;
const UUID = newUuid();
const DAY = 86_400;
/** A whole number of hours. */
const NOW = 1_800_000_000;

const database = testDatabase();
const manager = () => database.dataSource.manager;
const domain = (value: number, uuid = UUID): DomainSample => ({ uuid, ...mapCounters(() => value) });
const record = (at: number, value: number) => recordSamples(manager(), HOST, [domain(value)], at * 1000);
const kept = (from: number, until: number) =>
  samplesOf(manager(), SERVER, { from: new Date(from * 1000), until: new Date(until * 1000) });

beforeAll(() =>
  database.dataSource.query(`
    INSERT INTO locations VALUES (1, 'lab', 'Lab', 'Lab', 'DE', 'lab');
    INSERT INTO server_types (id, name, description, vcpus, memory_mib, disk_gib) VALUES (1, 's1', 'S', 1, 1024, 10);
    INSERT INTO images (id, name, type, volume_name, sha256, file_size_bytes, virtual_size_bytes, appliance, package_count)
      VALUES (1, 'web', 'app', 'v', 'x', 1, 1, '{}', 1);
    INSERT INTO hosts (id, name, uri, host_uuid, location_id, domain_type, domain_type_reason, image_pool, disk_pool,
                       bridge, vcpus, memory_mib, disk_gib, state)
      VALUES (${HOST}, 'h', 'simulated:h', gen_random_uuid(), 1, 'qemu', '', 'i', 'd', 'b', 9, 9, 9, 'active');
    INSERT INTO servers (id, account_id, project_id, name, domain_uuid, server_type_id, disk_gib, image_id, location_id,
                         host_id, desired, observed, credential_kind)
      VALUES (${SERVER}, 1, 1, 'web-1', '${UUID}', 1, 10, 1, 1, ${HOST}, 'running', 'running', 'ssh_key')`),
);
beforeEach(() => database.dataSource.query('DELETE FROM server_samples; DELETE FROM server_counters'));

describe('samples', () => {
  it('are what was used since the one before, also over a restart, and not over a time when nobody looked', async () => {
    await record(NOW, 100);
    await record(NOW + 60, 160);
    await record(NOW + 120, 30);
    await record(NOW + 3600, 900);
    await record(NOW + 3660, 901);
    const samples = await kept(NOW, NOW + 4000);
    expect(samples.map(({ until, bytesIn }) => [until / 1000 - NOW, bytesIn])).toEqual([
      [60, 60],
      [120, 30],
      [3660, 1],
    ]);
  });

  it('are of servers of that host alone', async () => {
    expect(await recordSamples(manager(), HOST, [domain(1, newUuid())], NOW)).toBe(0);
    expect(await recordSamples(manager(), HOST + 1, [domain(1)], NOW)).toBe(0);
    expect(await recordSamples(manager(), HOST, [], NOW)).toBe(0);
  });

  it('become the series of a server', async () => {
    for (let minute = 0; minute <= 10; minute++) await record(NOW + 60 * minute, 600 * minute);
    const service = new MetricsService(database.dataSource);
    const period = { start: new Date(NOW * 1000), end: new Date((NOW + 600) * 1000) };
    const { stepSeconds, series } = await service.of(SERVER, { types: ['network'], ...period });
    expect([stepSeconds, series['network.0.bandwidth.out']]).toEqual([
      60,
      Array.from({ length: 10 }, (_, index) => [NOW + 60 * (index + 1), 10]),
    ]);
  });
});

describe('thinning', () => {
  /** A minute's samples over so many days until now. */
  async function fill(days: number): Promise<void> {
    await database.dataSource.query(
      `INSERT INTO server_samples SELECT ${SERVER}, to_timestamp(${NOW} - 60 * n), 60000, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
       FROM generate_series(0, ${days} * 1440 - 1) AS n`,
    );
  }
  const counts = () =>
    database.dataSource.query<unknown[]>(
      `SELECT resolution_seconds AS resolution, count(*) AS rows, sum(bytes_out)::bigint AS used, sum(milliseconds)::bigint AS time
       FROM server_samples GROUP BY 1 ORDER BY 1`,
    );

  it('merges by age, loses nothing that was used, and forgets after 30 days', async () => {
    await fill(31);
    await thinSamples(manager(), NOW);
    const minutes = { day: 1440, sixDays: 6 * 1440, rest: 23 * 1440 };
    const of = (resolution: number, rows: number, count: number) => ({
      ...{ resolution, rows, used: 9 * count, time: 60_000 * count },
    });
    const first = await counts();
    expect(first).toMatchObject([
      of(0, 1440, minutes.day),
      of(300, 6 * 288, minutes.sixDays),
      { resolution: 3600 },
    ]);
    const [, , hours] = first as { rows: number; used: number }[];
    expect(hours?.rows).toBeLessThanOrEqual(23 * 24 + 1);
    expect(hours?.used).toBeGreaterThanOrEqual(9 * minutes.rest);
    await thinSamples(manager(), NOW);
    expect(await counts()).toEqual(first);
  });

  it('goes on from where it was, and changes no mean', async () => {
    await fill(3);
    const service = new MetricsService(database.dataSource);
    const period = { start: new Date((NOW - 3 * DAY) * 1000), end: new Date(NOW * 1000), stepSeconds: 3600 };
    const before = await service.of(SERVER, { types: ['disk'], ...period });
    for (const later of [0, 3600, 5 * DAY, 8 * DAY]) {
      await thinSamples(manager(), NOW + later);
      expect(await service.of(SERVER, { types: ['disk'], ...period })).toEqual(before);
    }
  });
});
