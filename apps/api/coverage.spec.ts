import { readFileSync } from 'node:fs';
import { ModulesContainer } from '@nestjs/core';
import { Validator } from '@seriousme/openapi-schema-validator';
import { beforeAll, describe, expect, it } from 'vitest';
import { newTenant, stockMarketplace, type Tenant, usedServerOf } from '../../test/api/marketplace.ts';
import { METRICS_TOKEN, testApi } from '../../test/api/test-api.ts';
import { type DescribedEndpoint, describeEndpoints } from './http/endpoints.ts';

const api = testApi();
let owner: Tenant;
let stranger: Tenant;
let ids: Record<string, string>;

/** Paths whose placeholders name something of the catalog, which belongs to everybody. */
const shared = /^\/v1\/(locations|datacenters|server_types|isos)\/:id$/;

/** What is the owner's, by path: a stranger must not find it. A new path with a placeholder must be added here. */
const owned: Record<string, string> = {
  '/v1/actions/:id': 'action',
  '/v1/servers/actions/:id': 'action',
  '/v1/images/:id': 'image',
  '/v1/images/:id/actions/change_protection': 'image',
  '/v1/images/:id/exports': 'image',
  '/v1/images/:id/packages': 'image',
  '/v1/images/:id/sbom': 'image',
  '/v1/images/:id/package_changes': 'image',
  '/v1/exports/:id': 'export',
  '/v1/rehearsals/:id': 'rehearsal',
  '/v1/rehearsals/:id/output': 'rehearsal',
  '/v1/rehearsals/:id/actions/apply': 'rehearsal',
  '/v1/recipes/:id': 'recipe',
  '/v1/recipes/:id/versions': 'recipe',
  '/v1/recipes/:id/versions/:version': 'recipe',
  '/v1/recipes/:id/cooks': 'recipe',
  '/v1/cooks/:id': 'cook',
  '/v1/cooks/:id/log': 'cook',
  '/v1/cooks/:id/actions/cancel': 'cook',
  '/v1/cooks/:id/upgrade': 'cook',
  '/v1/cooks/:id/rehearsals': 'cook',
  '/v1/volumes/:id': 'volume',
  '/v1/volumes/:id/actions': 'volume',
  '/v1/volumes/:id/actions/:action_id': 'volume',
  '/v1/volumes/:id/actions/attach': 'volume',
  '/v1/volumes/:id/actions/detach': 'volume',
  '/v1/volumes/:id/actions/resize': 'volume',
  '/v1/volumes/:id/actions/change_protection': 'volume',
  '/v1/volumes/actions/:id': 'volumeAction',
  '/v1/orders/:id': 'order',
  '/v1/uploads/:id': 'upload',
  '/v1/ssh_keys/:id': 'sshKey',
  '/v1/api_tokens/:id': 'token',
  '/v1/invoices/:id': 'invoice',
  '/v1/invoices/:id/lines': 'invoice',
  '/v1/payment_methods/:id': 'card',
  '/v1/payment_methods/setups/:id': 'setup',
};

const bodies: Record<string, unknown> = {
  '/v1/images/:id': { labels: {} },
  '/v1/images/:id/actions/change_protection': { delete: false },
  '/v1/servers/:id': { labels: {} },
  '/v1/ssh_keys/:id': { name: 'x' },
  '/v1/servers/:id/actions/attach_iso': { iso: 'x' },
  '/v1/servers/:id/actions/change_type': { server_type: 's2', upgrade_disk: false },
  '/v1/servers/:id/actions/rebuild': { image: 'web' },
  '/v1/servers/:id/clone': { name: 'x' },
  '/v1/servers/:id/exports': { format: 'ova' },
  '/v1/images/:id/exports': { format: 'ova' },
  '/v1/servers/:id/rehearsals': { script: 'true' },
  '/v1/servers/:id/actions/roll_back': { image: 4711 },
  '/v1/recipes/:id': { summary: 'x' },
  '/v1/cooks/:id/rehearsals': { server: 4711 },
  '/v1/volumes/:id': { labels: {} },
  '/v1/volumes/:id/actions/attach': { server: 4711 },
  '/v1/volumes/:id/actions/resize': { size: 2 },
  '/v1/volumes/:id/actions/change_protection': { delete: false },
};

/** What a path cannot be asked for without. */
const queries: Record<string, string> = {
  '/v1/cooks/:id/upgrade': '?server=4711',
  '/v1/images/:id/package_changes': '?since=4711',
  '/v1/servers/:id/metrics': '?type=cpu&start=2026-01-01T00:00:00Z&end=2026-01-02T00:00:00Z',
};

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ6pRvqRv9TbF1nYQ1S0m0m9gJw1m0mS1dJ0c1mQn0aB owner';

beforeAll(async () => {
  await stockMarketplace(api.current);
  owner = await newTenant(api.current, 'owner@example.com');
  stranger = await newTenant(api.current, 'stranger@example.com');
  const make = async (path: string, body: unknown) =>
    (await api.current.request('POST', path, { token: owner.token, body })).json();
  const { ssh_key } = await make('/v1/ssh_keys', { name: 'me', public_key: key });
  const { server, action } = await make('/v1/servers', { name: 'a', server_type: 's1', image: 'web' });
  await api.current.dataSource.query(
    `INSERT INTO images (id, name, type, volume_name, file_size_bytes, virtual_size_bytes, appliance, package_count,
                         project_id, server_id)
     SELECT 4711, 'snapshot-4711', 'snapshot', 'x', 1, 1, i.appliance, 1, s.project_id, s.id
     FROM images i JOIN servers s ON s.image_id = i.id WHERE s.id = $1`,
    [server.id],
  );
  await api.current.dataSource.query(
    `INSERT INTO exports (id, account_id, project_id, server_id, source_name, format)
     SELECT 4712, account_id, project_id, id, name, 'ova' FROM servers WHERE id = $1`,
    [server.id],
  );
  await api.current.dataSource.query(
    `INSERT INTO uploads (id, project_id, length_bytes, expires_at)
     SELECT 4713, project_id, 1, now() + interval '1 day' FROM servers WHERE id = $1`,
    [server.id],
  );
  await api.current.dataSource.query(
    `INSERT INTO rehearsals (id, account_id, project_id, server_id, health_checks, timeout_seconds, script_bytes)
     SELECT 4714, account_id, project_id, id, '[]', 60, 4 FROM servers WHERE id = $1`,
    [server.id],
  );
  const { recipe } = await make('/v1/recipes', { name: 'own' });
  const { cook } = await make(`/v1/recipes/${recipe.id}/cooks`, {});
  const volume = await make('/v1/volumes', { name: 'data', size: 1 });
  const invoice = await usedServerOf(api.current, owner);
  const cookie = owner.cookie;
  const [token] = (await api.current.request('GET', '/v1/api_tokens', { cookie })).json().api_tokens;
  const [card] = (await api.current.request('GET', '/v1/payment_methods', { cookie })).json().payment_methods;
  ids = {
    server: server.id,
    action: action.id,
    image: '4711',
    export: '4712',
    upload: '4713',
    rehearsal: '4714',
    recipe: recipe.id,
    cook: cook.id,
    volume: volume.volume.id,
    volumeAction: volume.action.id,
    order: server.servery.order_id,
    sshKey: ssh_key.id,
    invoice: String(invoice),
    token: token.id,
    card: card.id,
    setup: 'cs_unknown',
  };
});

function endpoints(): DescribedEndpoint[] {
  return describeEndpoints(api.current.api.app.get(ModulesContainer));
}

/** The path with the owner's ids. @throws for a placeholder that this test does not know. */
function ownersPath(path: string): string {
  const filled = path
    .replace(/^\/v1\/servers\/:id\b/, `/v1/servers/${ids.server}`)
    .replace(':action_id', String(ids.action))
    .replace(':version', '1')
    .replace(/:action$/, 'change_alias_ips');
  if (!filled.includes(':')) return filled;
  const name = owned[path];
  if (name === undefined) throw new Error(`say in this test whose ${path} is`);
  return filled.replace(':id', String(ids[name]));
}

const neutral = (path: string) => path.replace(/:\w+/g, '1');
const protectedOnes = () => endpoints().filter(({ access }) => access !== 'public');

describe('every route', () => {
  it('is declared by an endpoint', () => {
    const declared = new Set(endpoints().map(({ method, path }) => `${method} ${path}`));
    const registered = api.current.api.routes.routes.filter(({ method }) => method !== 'HEAD');
    expect(
      registered.map(({ method, url }) => `${method} ${url}`).filter((one) => !declared.has(one)),
    ).toEqual([]);
    expect(registered.length).toBeGreaterThan(50);
  });

  it('answers 401 without a token and with a revoked one', async () => {
    for (const { method, path } of protectedOnes()) {
      const revoked = { token: owner.revokedToken, remoteAddress: '127.0.0.2' };
      const unknown = { token: 'x'.repeat(64), remoteAddress: '127.0.0.3' };
      for (const options of [{}, revoked, unknown]) {
        const answer = await api.current.request(method as 'GET', neutral(path), options);
        expect([method, path, answer.statusCode]).toEqual([method, path, 401]);
      }
    }
  });

  it('answers 403 to a token that was not made to see money, where it is shown', async () => {
    const body = { name: 'of one project', access: 'read_write' };
    const made = await api.current.request('POST', '/v1/api_tokens', { cookie: owner.cookie, body });
    const { token, api_token } = made.json();
    expect(api_token.sees_money).toBe(false);
    const shown = protectedOnes().filter(({ access }) => access === 'spend');
    expect(shown.length).toBeGreaterThan(8);
    for (const { method, path } of shown) {
      const answer = await api.current.request(method, ownersPath(path), { token });
      expect([method, path, answer.statusCode, answer.json().error.code]).toEqual([
        method,
        path,
        403,
        'forbidden',
      ]);
    }
  });

  it('answers 403 to a token that may only read, where something is changed', async () => {
    const closed = protectedOnes().filter(({ access }) => access === 'write');
    for (const { method, path } of closed) {
      const answer = await api.current.request(method, ownersPath(path), { token: owner.readToken });
      expect([method, path, answer.json().error.code]).toEqual([method, path, 'token_readonly']);
      expect(answer.statusCode).toBe(403);
    }
  });

  it('answers 403 to tokens where a person is asked for, and to customers where an operator is', async () => {
    for (const { method, path, access } of protectedOnes()) {
      if (access !== 'session' && access !== 'operator') continue;
      const byToken = await api.current.request(method, neutral(path), { token: owner.token });
      expect([method, path, byToken.statusCode]).toEqual([method, path, 403]);
      if (access === 'session') continue;
      const byCustomer = await api.current.request(method, neutral(path), { cookie: owner.cookie });
      expect([method, path, byCustomer.statusCode]).toEqual([method, path, 403]);
    }
  });

  it("answers 404 to another tenant's token or session", async () => {
    const ofOwner = protectedOnes().filter(
      ({ path, access }) => path.includes(':') && access !== 'operator' && !shared.test(path),
    );
    expect(ofOwner.length).toBeGreaterThan(20);
    for (const { method, path, access } of ofOwner) {
      const credentials = access === 'session' ? { cookie: stranger.cookie } : { token: stranger.token };
      const body = method === 'GET' || method === 'DELETE' ? {} : { body: bodies[path] ?? {} };
      const url = `${ownersPath(path)}${queries[path] ?? ''}`;
      const answer = await api.current.request(method, url, { ...credentials, ...body });
      expect([method, path, answer.statusCode]).toEqual([method, path, 404]);
    }
  });
});

describe('the document', () => {
  it('is valid OpenAPI 3.1 and has every endpoint', async () => {
    const document = (await api.current.request('GET', '/v1/openapi.json')).json();
    const result = await new Validator().validate(document);
    expect(result.errors ?? []).toEqual([]);
    expect(document.openapi).toMatch(/^3\.1/);
    for (const { path, method } of endpoints()) {
      expect(document.paths[path.replace(/:(\w+)/g, '{$1}')]).toHaveProperty(method.toLowerCase());
    }
  });

  it('has a page that loads nothing from elsewhere', async () => {
    const page = await api.current.request('GET', '/docs');
    expect(page.statusCode).toBe(200);
    expect(page.body).not.toMatch(/<script|src=/);
    expect(page.headers['content-security-policy']).toContain("default-src 'none'");
  });

  it('is the wire format that the tests check answers against', () => {
    const hetzner = readFileSync(
      new URL('../../test/specs/hetzner-hcloud.openapi.json', import.meta.url),
      'utf8',
    );
    const paths = Object.keys(JSON.parse(hetzner).paths);
    const ours = endpoints().map(({ path }) => path.replace('/v1', '').replace(/:(\w+)/g, '{$1}'));
    expect(ours.filter((path) => paths.includes(path)).length).toBeGreaterThan(25);
  });
});

describe('operations', () => {
  it('answers health and metrics', async () => {
    expect((await api.current.request('GET', '/health/live')).statusCode).toBe(200);
    expect((await api.current.request('GET', '/health/ready')).json()).toEqual({ status: 'ok' });
    const metrics = (await api.current.request('GET', '/metrics', { token: METRICS_TOKEN })).body;
    for (const line of [
      'servery_orders{status="placed"} 1',
      'servery_host_capacity{host="kvm-1"',
      'servery_queue_depth',
    ]) {
      expect(metrics).toContain(line);
    }
  });

  it('shows metrics to nobody without their token', async () => {
    for (const credentials of [{}, { token: owner.token }, { token: `${METRICS_TOKEN}x` }]) {
      const answer = await api.current.request('GET', '/metrics', credentials);
      expect(answer.statusCode).toBe(401);
      expect(answer.body).not.toContain('servery_');
    }
  });

  it('refuses webhooks that are not signed', async () => {
    const answer = await api.current.request('POST', '/v1/webhooks/stripe', { body: { id: 'evt_1' } });
    expect(answer.statusCode).toBe(422);
  });
});
