import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findingListResponse } from '#libs/contracts';
import {
  ask,
  deleteServers,
  finished,
  getServer,
  hosts,
  type Key,
  ledger,
  onServer,
  order,
  refusal,
  registerKey,
  rows,
  send,
  sessionOf,
} from '../e2e/stack.fixture.ts';

type Hosts = Awaited<ReturnType<typeof hosts>>;

const S2 = { vcpus: 2, memoryMib: 2048 };

/** Best fit by hand: where servers of one size go, one after another, as a list of host ids. */
function packed(fleet: Hosts, { vcpus, memoryMib }: typeof S2, count: number): number[] {
  const state = fleet.map((host) => ({
    id: host.id,
    vcpus: host.vcpus.total - host.vcpus.used,
    memoryMib: host.memory_mib.total - host.memory_mib.used,
    of: { vcpus: host.vcpus.total, memoryMib: host.memory_mib.total },
  }));
  return Array.from({ length: count }, () => {
    const left = (host: (typeof state)[number]) =>
      (host.memoryMib - memoryMib) / host.of.memoryMib + (host.vcpus - vcpus) / host.of.vcpus;
    const [best] = state
      .filter((host) => host.memoryMib >= memoryMib && host.vcpus >= vcpus)
      .toSorted((a, b) => left(a) - left(b) || a.id - b.id);
    if (!best) throw new Error('the fleet is too full for this test');
    best.vcpus -= vcpus;
    best.memoryMib -= memoryMib;
    return best.id;
  });
}

/** All that an order may take before it is paid, and the money. */
async function holdings() {
  const [counts] = await rows(`
    SELECT (SELECT count(*) FROM servers) AS servers, (SELECT count(*) FROM orders) AS orders,
           (SELECT count(*) FROM actions) AS actions, (SELECT count(*) FROM sagas) AS sagas,
           (SELECT count(*) FROM reservations) AS reservations,
           (SELECT count(*) FROM server_secrets) AS secrets,
           (SELECT count(*) FROM addresses WHERE server_id IS NOT NULL) AS addresses,
           (SELECT count(*) FROM holds) AS holds, (SELECT sum(used_memory_mib) FROM hosts) AS memory`);
  return { counts, ledger: await ledger() };
}

describe('placement on the hosts', () => {
  const run = randomUUID().slice(0, 8);
  const filler = `fill-${run}`;
  const names = ['a', 'b', 'c'].map((letter) => `pack-${letter}-${run}`);
  let operator: Record<string, string>;
  let key: Key;

  beforeAll(async () => {
    operator = await sessionOf('OPERATOR');
    key = await registerKey(`pack-${run}`);
  });
  afterAll(async () => {
    await deleteServers([filler, ...names]);
    await send('DELETE', `/ssh_keys/${key.id}`);
  });

  it('refuses an order that no host has room for, and keeps and charges nothing', async () => {
    const before = await holdings();
    const body = { name: `huge-${run}`, server_type: 's4', image: 'web', ssh_keys: [key.id] };
    expect((await refusal('POST', '/servers', body)).code).toBe('resource_unavailable');
    expect(await holdings()).toEqual(before);
    const query = '/findings?per_page=50';
    const { findings } = await ask(findingListResponse, 'GET', query, undefined, operator);
    expect(findings).toContainEqual(
      expect.objectContaining({ kind: 'out_of_capacity', subject: expect.stringContaining('s4') }),
    );
  });

  it('packs three servers that are ordered at once on both hosts, and all answer', async () => {
    const fresh = packed(await hosts(operator), S2, names.length);
    const actions: number[] = [];
    // Three fill an empty host to the last MiB: with a small one beside them they need the other host too.
    if (new Set(fresh).size === 1) {
      const small = { name: filler, server_type: 's1', image: 'debian-12', ssh_keys: [key.id] };
      actions.push((await order(small)).action.id);
    }
    const expected = packed(await hosts(operator), S2, names.length);
    expect(new Set(expected).size).toBe(2);

    const orders = await Promise.all(
      names.map((name) => order({ name, server_type: 's2', image: 'web', ssh_keys: [key.id] })),
    );
    const placed = await rows<{ host_id: string }>(
      'SELECT host_id FROM reservations WHERE server_id = ANY($1)',
      [orders.map(({ server }) => server.id)],
    );
    expect(placed.map(({ host_id }) => Number(host_id)).toSorted()).toEqual(expected.toSorted());
    for (const host of await hosts(operator)) {
      expect(host.memory_mib.used).toBeLessThanOrEqual(host.memory_mib.total);
      expect(host.vcpus.used).toBeLessThanOrEqual(host.vcpus.total);
    }

    await Promise.all([...actions, ...orders.map(({ action }) => action.id)].map(finished));
    for (const { server } of orders) {
      const { privateKey } = key;
      expect(await onServer(await getServer(server.id), { privateKey }, 'hostname')).toBe(server.name);
    }
    const settled = await rows<{ host_id: string }>('SELECT host_id FROM servers WHERE id = ANY($1)', [
      orders.map(({ server }) => server.id),
    ]);
    expect(settled.map(({ host_id }) => Number(host_id)).toSorted()).toEqual(expected.toSorted());
  });

  it('gives everything back when they are deleted', async () => {
    const ids = await rows<{ id: string }>('SELECT id FROM servers WHERE name = ANY($1)', [
      [filler, ...names],
    ]);
    await deleteServers([filler, ...names]);
    const [left] = await rows(
      `SELECT (SELECT count(*) FROM reservations WHERE server_id = ANY($1)) AS reservations,
              (SELECT count(*) FROM addresses WHERE server_id = ANY($1)) AS addresses`,
      [ids.map(({ id }) => id)],
    );
    expect(ids.length).toBeGreaterThanOrEqual(names.length);
    expect(left).toEqual({ reservations: '0', addresses: '0' });
  });
});
