import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ImagesService } from '#libs/images';
import { IsosService } from '#libs/isos';
import { EnvelopeCipher } from '#libs/secrets';
import { SecretsStore } from '#libs/servers';
import { newTenant, stockMarketplace, type Tenant } from '../../../test/api/marketplace.ts';
import { testApi } from '../../../test/api/test-api.ts';

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ6pRvqRv9TbF1nYQ1S0m0m9gJw1m0mS1dJ0c1mQn0aB owner';

const api = testApi();
let tenant: Tenant;
let server: number;
let count = 0;

const ask = (method: string, path: string, body?: unknown) =>
  api.current.request(method, path, { token: tenant.token, body });
const act = (action: string, body: unknown = {}) =>
  ask('POST', `/v1/servers/${server}/actions/${action}`, body);
const shown = async () => (await ask('GET', `/v1/servers/${server}`)).json().server;
const query = <T = unknown>(sql: string, values: unknown[] = []): Promise<T> =>
  api.current.dataSource.query(sql, values);

beforeAll(async () => {
  await stockMarketplace(api.current);
  tenant = await newTenant(api.current, 'owner@example.com');
});

/** As the workflow leaves a server that it has handed over. */
beforeEach(async () => {
  const body = { name: `server-${count++}`, server_type: 's1', image: 'web' };
  server = (await ask('POST', '/v1/servers', body)).json().server.id;
  await query(
    `UPDATE servers SET ready_at = now(), observed = 'running', host_id = (SELECT id FROM hosts) WHERE id = $1`,
    [server],
  );
  await query("UPDATE actions SET status = 'success' WHERE server_id = $1", [server]);
  await query('UPDATE servers SET deleted_at = now() WHERE id <> $1', [server]);
});

describe('a rescue system', () => {
  it('is refused, and not to be asked for again, where the host has none', async () => {
    const answer = await act('enable_rescue');
    expect([answer.statusCode, answer.json().error]).toMatchObject([
      412,
      { code: 'resource_unavailable', details: { reason: 'rescue_unavailable' } },
    ]);
  });

  describe('on a host that has one', () => {
    beforeAll(async () => {
      const images = api.current.get<ImagesService>(ImagesService);
      const { manager } = api.current.dataSource;
      const [web] = await query<[{ appliance: never }]>("SELECT appliance FROM images WHERE name = 'web'");
      const appliance = Object.assign({}, web.appliance, { name: 'rescue', category: 'os', isRescue: true });
      const sizes = { fileSizeBytes: 1, virtualSizeBytes: 1024 ** 3, packageCount: 1 };
      const image = await images.register(manager, { appliance, sha256: 'c'.repeat(64), ...sizes });
      const [host] = await query<[{ id: number }]>('SELECT id FROM hosts');
      await images.recordOnHost(manager, image.id, host.id);
    });

    it('is no image that anybody sees, orders or rebuilds from', async () => {
      const [{ id }] = await query<[{ id: number }]>("SELECT id FROM images WHERE type = 'rescue'");
      const names = (await ask('GET', '/v1/images')).json().images.map(({ name }: { name: string }) => name);
      expect(names).toEqual(['web']);
      expect((await ask('GET', `/v1/images/${id}`)).statusCode).toBe(404);
      const { products } = (await ask('GET', '/v1/catalog')).json();
      expect(products.map(({ name }: { name: string }) => name)).toEqual(['web']);
      for (const image of ['rescue', String(id)]) {
        expect((await act('rebuild', { image })).json().error).toMatchObject({
          details: { reason: 'image_not_found' },
        });
      }
    });

    it('is enabled with a password in the answer, or with keys and none', async () => {
      const answer = await act('enable_rescue', { type: 'linux64' });
      expect(answer.statusCode).toBe(201);
      expect(answer.json()).toMatchObject({
        action: { command: 'enable_rescue', status: 'running', resources: [{ id: server, type: 'server' }] },
        root_password: expect.stringMatching(/^\w{24}$/),
      });
      const secrets = new SecretsStore(api.current.get<EnvelopeCipher>(EnvelopeCipher));
      const { manager } = api.current.dataSource;
      expect(await secrets.read(manager, server, 'rescue_password')).toBe(answer.json().root_password);
      const { rescue_enabled: enabled, servery } = await shown();
      expect([enabled, servery.rescue]).toEqual([false, null]);
      expect((await act('disable_rescue')).json().error.code).toBe('locked');
      await query("UPDATE actions SET status = 'success'");
      const { ssh_key: key } = (await ask('POST', '/v1/ssh_keys', { name: 'me', public_key: KEY })).json();
      const withKey = await act('enable_rescue', { type: 'linux64', ssh_keys: [key.id] });
      expect([withKey.statusCode, withKey.json().root_password]).toEqual([201, '']);
    });

    it('is refused with the field that is wrong', async () => {
      const wrong = async (body: unknown) => (await act('enable_rescue', body)).json().error.details.fields;
      expect(await wrong({ ssh_keys: [4711] })).toMatchObject([{ name: 'ssh_keys' }]);
      expect(await wrong({ type: 'freebsd64' })).toMatchObject([{ name: 'type' }]);
    });

    it('is shown while it waits and while it runs, when commands on the own system are refused', async () => {
      await query(
        `INSERT INTO rescues (id, server_id, image_id, host_key, enabled_at, expires_at)
         SELECT 4711, $1, id, 'ssh-ed25519 AAAA', now(), now() + interval '1 hour' FROM images WHERE type = 'rescue'`,
        [server],
      );
      const waiting = await shown();
      expect([waiting.rescue_enabled, waiting.servery.rescue]).toMatchObject([
        true,
        { state: 'waiting', host_key: 'ssh-ed25519 AAAA', ssh_keys: 0, expires_at: expect.any(String) },
      ]);
      await query('UPDATE rescues SET booted_at = now() WHERE id = 4711');
      const running = await shown();
      expect([running.rescue_enabled, running.servery.rescue]).toMatchObject([
        false,
        { state: 'running', expires_at: null },
      ]);
      const actions = {
        rebuild: { image: 'web' },
        create_image: {},
        reset_password: {},
        change_type: { server_type: 's2', upgrade_disk: false, restart: true },
      };
      for (const [action, body] of Object.entries(actions)) {
        const answer = await act(action, body);
        expect([action, answer.statusCode, answer.json().error]).toMatchObject([
          action,
          422,
          { code: 'unsupported_error', details: { reason: 'server_in_rescue' } },
        ]);
      }
      expect((await act('reset')).statusCode).toBe(201);
      const [saga] = await query<[{ name: string; params: unknown }]>(
        'SELECT name, params FROM sagas WHERE subject_id = $1 ORDER BY created_at DESC LIMIT 1',
        [server],
      );
      expect(saga).toEqual({
        name: 'switch-system',
        params: { serverId: server, from: 4711, into: null, by: 'reset' },
      });
      await query('UPDATE rescues SET ended_at = now()');
    });
  });
});

describe('ISO images', () => {
  let iso: number;
  beforeAll(async () => {
    const isos = api.current.get<IsosService>(IsosService);
    const words = { name: 'netboot', description: 'Netboot', sha256: 'd'.repeat(64), sizeBytes: 2048 };
    iso = (await isos.register(api.current.dataSource.manager, words)).id;
  });

  it('are listed and shown as Hetzner does', async () => {
    const wire = {
      ...{ id: iso, name: 'netboot', description: 'Netboot', type: 'public', architecture: 'x86' },
      deprecation: null,
    };
    const listed = async (search: string) => (await ask('GET', `/v1/isos${search}`)).json().isos;
    expect(await listed('?name=netboot&architecture=x86&include_architecture_wildcard=true')).toEqual([wire]);
    expect(await listed('?architecture=arm')).toEqual([]);
    expect(await listed('?name=other')).toEqual([]);
    expect((await ask('GET', `/v1/isos/${iso}`)).json()).toEqual({ iso: wire });
    expect((await ask('GET', '/v1/isos/4711')).statusCode).toBe(404);
  });

  it('are attached by id or name where the host has them, and shown at their server', async () => {
    expect((await act('attach_iso', { iso: 'unknown' })).json().error).toMatchObject({
      code: 'invalid_input',
      details: { fields: [{ name: 'iso' }], reason: 'iso_not_found' },
    });
    const absent = await act('attach_iso', { iso: 'netboot' });
    expect([absent.statusCode, absent.json().error.code]).toEqual([412, 'resource_unavailable']);
    await query('INSERT INTO host_isos SELECT $1, id FROM hosts', [iso]);
    const answer = await act('attach_iso', { iso: String(iso) });
    expect([answer.statusCode, answer.json().action.command]).toEqual([201, 'attach_iso']);
    await query("UPDATE actions SET status = 'success'");
    await query('UPDATE servers SET iso_id = $1 WHERE id = $2', [iso, server]);
    expect((await shown()).iso).toMatchObject({ id: iso, name: 'netboot' });
    expect((await act('rebuild', { image: 'web' })).json().error).toMatchObject({
      code: 'unsupported_error',
      details: { reason: 'iso_attached' },
    });
    expect((await act('detach_iso')).json().action).toMatchObject({
      command: 'detach_iso',
      status: 'running',
    });
  });

  it('are detached at once where there is none', async () => {
    expect((await act('detach_iso')).json().action).toMatchObject({
      command: 'detach_iso',
      status: 'success',
    });
  });
});
