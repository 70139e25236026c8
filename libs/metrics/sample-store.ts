import type { EntityManager } from 'typeorm';
import type { DomainSample } from '#libs/hypervisor';
import { COUNTED, columnOf, mapCounters, type Reading, type Sample, usedBetween } from './counters.ts';

const COLUMNS = COUNTED.map(columnOf).join(', ');
const QUOTED = COUNTED.map((counter) => `"${counter}"`).join(', ');
const TYPED = COUNTED.map((counter) => `"${counter}" bigint`).join(', ');
const SELECTED = COUNTED.map((counter) => `t.${columnOf(counter)} AS "${counter}"`).join(', ');

/**
 * Keeps what a host has counted of its servers, and how much that is since it was last looked at. Domains that are no
 * server of that host are passed over. One call for a host at a time.
 * @param at Unix time in milliseconds
 * @returns how many servers it was of
 */
export async function recordSamples(
  manager: EntityManager,
  hostId: number,
  domains: readonly DomainSample[],
  at: number,
): Promise<number> {
  const readings = await readingsOf(manager, hostId, domains, at);
  if (readings.length === 0) return 0;
  const former = await formerReadings(manager, readings);
  const samples = readings.flatMap((now) => {
    const before = former.get(now.serverId);
    return (before && usedBetween(before, now)) ?? [];
  });
  await keepReadings(manager, readings);
  await keepSamples(manager, samples);
  return readings.length;
}

/** What is known of a server between two moments; the parts of samples that reach out of them are theirs as well. */
export async function samplesOf(
  manager: EntityManager,
  serverId: number,
  { from, until }: { readonly from: Date; readonly until: Date },
): Promise<Sample[]> {
  return manager.query<Sample[]>(
    `SELECT t.server_id AS "serverId", (extract(epoch FROM t.until) * 1000)::bigint AS until, t.milliseconds, ${SELECTED}
     FROM server_samples t
     WHERE t.server_id = $1 AND t.until > $2 AND t.until < $3::timestamptz + interval '2 hours'
       AND t.until - t.milliseconds * interval '1 millisecond' < $3
     ORDER BY t.until`,
    [serverId, from, until],
  );
}

async function readingsOf(
  manager: EntityManager,
  hostId: number,
  domains: readonly DomainSample[],
  at: number,
): Promise<Reading[]> {
  const servers = await manager.query<{ id: number; uuid: string }[]>(
    `SELECT id, domain_uuid AS uuid FROM servers
     WHERE host_id = $1 AND deleted_at IS NULL AND domain_uuid = ANY($2::uuid[])`,
    [hostId, domains.map(({ uuid }) => uuid)],
  );
  const ids = new Map(servers.map(({ id, uuid }) => [uuid, id]));
  return domains.flatMap((domain) => {
    const serverId = ids.get(domain.uuid);
    return serverId === undefined ? [] : [{ serverId, at, ...mapCounters((counter) => domain[counter]) }];
  });
}

async function formerReadings(manager: EntityManager, readings: readonly Reading[]) {
  const rows = await manager.query<Reading[]>(
    `SELECT t.server_id AS "serverId", (extract(epoch FROM t.counted_at) * 1000)::bigint AS at, ${SELECTED}
     FROM server_counters t WHERE t.server_id = ANY($1)`,
    [readings.map(({ serverId }) => serverId)],
  );
  return new Map(rows.map((row) => [row.serverId, row]));
}

async function keepReadings(manager: EntityManager, readings: readonly Reading[]): Promise<void> {
  await manager.query(
    `INSERT INTO server_counters (server_id, counted_at, ${COLUMNS})
     SELECT "serverId", to_timestamp(at / 1000.0), ${QUOTED}
     FROM jsonb_to_recordset($1) AS r ("serverId" bigint, at bigint, ${TYPED})
     ON CONFLICT (server_id) DO UPDATE SET (counted_at, ${COLUMNS}) =
       (excluded.counted_at, ${COUNTED.map((counter) => `excluded.${columnOf(counter)}`).join(', ')})`,
    [JSON.stringify(readings)],
  );
}

async function keepSamples(manager: EntityManager, samples: readonly Sample[]): Promise<void> {
  await manager.query(
    `INSERT INTO server_samples (server_id, until, milliseconds, resolution_seconds, ${COLUMNS})
     SELECT "serverId", to_timestamp(until / 1000.0), milliseconds, 0, ${QUOTED}
     FROM jsonb_to_recordset($1) AS s ("serverId" bigint, until bigint, milliseconds bigint, ${TYPED})
     ON CONFLICT DO NOTHING`,
    [JSON.stringify(samples)],
  );
}
