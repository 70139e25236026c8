import { beforeAll, describe, expect, it } from 'vitest';
import { newTenant, stockMarketplace, type Tenant } from '../../../test/api/marketplace.ts';
import { testApi } from '../../../test/api/test-api.ts';

const api = testApi();
let tenant: Tenant;
let original: { id: number; public_net: { ipv4: { ip: string } } };

const post = (path: string, body: unknown = {}, headers: Record<string, string> = {}) =>
  api.current.request('POST', path, { token: tenant.token, body, headers });

/** As the workflows leave servers that they have handed over. */
async function handOver(): Promise<void> {
  await api.current.dataSource.query("UPDATE servers SET ready_at = now(), observed = 'running'");
  await api.current.dataSource.query("UPDATE actions SET status = 'success'");
}

beforeAll(async () => {
  await stockMarketplace(api.current);
  tenant = await newTenant(api.current, 'owner@example.com');
  const ordered = await post('/v1/servers', { name: 'original', server_type: 's1', image: 'web' });
  original = ordered.json().server;
  await api.current.dataSource.query('UPDATE servers SET host_id = (SELECT id FROM hosts)');
});

describe('a clone', () => {
  it('is refused of a server that is not ready, or busy, and with what does not go together', async () => {
    const path = `/v1/servers/${original.id}/clone`;
    expect((await post(path, { name: 'a' })).json().error).toMatchObject({ code: 'locked' });
    await api.current.dataSource.query("UPDATE actions SET status = 'success'");
    const early = (await post(path, { name: 'a' })).json().error;
    expect(early).toMatchObject({ code: 'invalid_state', details: { reason: 'server_not_ready' } });
    await handOver();
    for (const [field, value] of Object.entries({ hold_timers: true, network: 'isolated' })) {
      const answer = await post(path, { name: 'a', exact: true, [field]: value });
      expect([answer.statusCode, answer.json().error.details.fields[0].name]).toEqual([422, field]);
    }
    const taken = (await post(path, { name: 'original' })).json().error;
    expect(taken).toMatchObject({ code: 'uniqueness_error', details: { fields: [{ name: 'name' }] } });
  });

  it('is an order of its own, on the isolated network, asked for once however often', async () => {
    const body = { name: 'copy', hold_timers: true, labels: { env: 'qa' } };
    const key = { 'idempotency-key': 'once' };
    const answer = await post(`/v1/servers/${original.id}/clone`, body, key);
    expect(answer.statusCode).toBe(201);
    const { server, action, root_password } = answer.json();
    expect(server).toMatchObject({
      name: 'copy',
      status: 'initializing',
      labels: body.labels,
      servery: {
        network: 'isolated',
        holds_timers: true,
        clone: { original_id: original.id, exact: false },
        order_id: expect.any(Number),
      },
    });
    expect(server.public_net.ipv4.ip).not.toBe(original.public_net.ipv4.ip);
    expect([action.command, root_password]).toEqual(['clone_server', null]);
    expect((await post(`/v1/servers/${original.id}/clone`, body, key)).json()).toEqual(answer.json());
    const second = await post(`/v1/servers/${original.id}/clone`, { name: 'second' });
    expect(second.json().error.code).toBe('locked');
    await handOver();
    const opened = await post(`/v1/servers/${server.id}/actions/open_network`);
    expect([opened.statusCode, opened.json().action.command]).toEqual([201, 'open_network']);
  });

  it('has no address while it is exact and its original lives', async () => {
    await handOver();
    const { server } = (await post(`/v1/servers/${original.id}/clone`, { name: 'twin', exact: true })).json();
    expect(server.public_net.ipv4).toBeNull();
    expect(server.servery).toMatchObject({ network: 'closed', clone: { exact: true } });
    await handOver();
    const refused = (await post(`/v1/servers/${server.id}/actions/open_network`)).json().error;
    expect(refused).toMatchObject({ code: 'invalid_state', details: { reason: 'address_in_use' } });
    const open = (await post(`/v1/servers/${original.id}/actions/open_network`)).json().error;
    expect(open).toMatchObject({ code: 'invalid_state', details: { reason: 'network_is_open' } });
    const rebuilt = await post(`/v1/servers/${server.id}/actions/rebuild`, { image: 'web' });
    expect(rebuilt.json().error.details.reason).toBe('network_closed');
  });
});
