import { beforeAll, expect, it } from 'vitest';
import { newTenant, stockMarketplace, type Tenant } from '../../../test/api/marketplace.ts';
import { testApi } from '../../../test/api/test-api.ts';

const api = testApi();
let tenant: Tenant;
let id: number;

const metrics = (query: string) =>
  api.current.request('GET', `/v1/servers/${id}/metrics?${query}`, { token: tenant.token });
const HOUR = 'start=2026-11-01T10:00:00Z&end=2026-11-01T11:00:00Z';

beforeAll(async () => {
  await stockMarketplace(api.current);
  tenant = await newTenant(api.current, 'owner@example.com');
  const body = { name: 'measured', server_type: 's1', image: 'web' };
  id = (await api.current.request('POST', '/v1/servers', { token: tenant.token, body })).json().server.id;
  await api.current.dataSource.query(
    `INSERT INTO server_samples
     SELECT $1, at, 60000, 0, 30000, 60, 120, 600, 1200, 60, 120, 6000, 12000
     FROM generate_series(timestamptz '2026-11-01T10:01:00Z', '2026-11-01T10:30:00Z', '1 minute') AS at`,
    [id],
  );
});

it('answers in the form that clients know', async () => {
  const answer = await metrics(`type=cpu&${HOUR}`);
  expect(answer.statusCode).toBe(200);
  const { start, step, time_series } = answer.json().metrics;
  expect([Date.parse(start), step]).toEqual([Date.parse('2026-11-01T10:00:00Z'), 60]);
  expect(time_series.cpu.values).toHaveLength(30);
  expect(time_series.cpu.values[0]).toEqual([Date.parse('2026-11-01T10:01:00Z') / 1000, '50']);
});

it('takes several types, by commas or repeated, and a step', async () => {
  const byComma = (await metrics(`type=disk,network&${HOUR}&step=600`)).json().metrics;
  const repeated = (await metrics(`type=disk&type=network&${HOUR}&step=600`)).json().metrics;
  expect(byComma).toEqual(repeated);
  expect(Object.keys(byComma.time_series).toSorted()).toEqual([
    ...['disk.0.bandwidth.read', 'disk.0.bandwidth.write', 'disk.0.iops.read', 'disk.0.iops.write'],
    ...['network.0.bandwidth.in', 'network.0.bandwidth.out', 'network.0.pps.in', 'network.0.pps.out'],
  ]);
  expect(byComma.time_series['network.0.bandwidth.out'].values).toHaveLength(3);
  expect(byComma.time_series['disk.0.iops.write'].values[2][1]).toBe('2');
});

it('names what is wrong with a request', async () => {
  for (const [query, field] of [
    [HOUR, 'type'],
    [`type=memory&${HOUR}`, 'type.0'],
    [`type=cpu&${HOUR}&step=0`, 'step'],
    ['type=cpu&end=2026-11-01T11:00:00Z', 'start'],
    ['type=cpu&start=yesterday&end=2026-11-01T11:00:00Z', 'start'],
    ['type=cpu&start=2026-11-01T11:00:00Z&end=2026-11-01T11:00:00Z', 'end'],
  ] as const) {
    const { error } = (await metrics(query)).json();
    expect([query, error?.code, error?.details.fields[0].name]).toEqual([query, 'invalid_input', field]);
  }
});
