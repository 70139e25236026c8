import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXPORT_LIMITS, ExportStore } from '#libs/exports';
import { newTenant, stockMarketplace, type Tenant } from '../../../test/api/marketplace.ts';
import { testApi } from '../../../test/api/test-api.ts';

const exec = promisify(execFile);
const folder = await mkdtemp(join(tmpdir(), 'servery-exports-api-'));
const api = testApi(undefined, { SERVERY_EXPORTS_DIR: folder });
let owner: Tenant;

const ask = (method: string, path: string, body?: unknown, token = owner.token) =>
  api.current.request(method, path, { token, body });
const sql = (text: string, values: unknown[] = []) => api.current.dataSource.query(text, values);

beforeAll(async () => {
  await stockMarketplace(api.current);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

let count = 0;

/** Of a tenant of its own, with a server as the workflow leaves one that it has handed over. */
async function readyServer(): Promise<number> {
  owner = await newTenant(api.current, `owner-${count++}@example.com`);
  const body = { name: 'shop', server_type: 's1', image: 'web' };
  const { id } = (await ask('POST', '/v1/servers', body)).json().server;
  await sql(
    `UPDATE servers SET ready_at = now(), observed = 'running', host_id = (SELECT id FROM hosts) WHERE id = $1`,
    [id],
  );
  await sql(`UPDATE actions SET status = 'success' WHERE server_id = $1`, [id]);
  return id;
}

const exported = async (serverId: number, format = 'qcow2') => {
  const answer = await ask('POST', `/v1/servers/${serverId}/exports`, { format });
  await sql(`UPDATE actions SET status = 'success' WHERE server_id = $1`, [serverId]);
  return answer;
};

/** As the workflow leaves an export that it has made. */
async function finish(id: number): Promise<void> {
  const diskPath = await store().diskPath(id);
  await exec('qemu-img', ['create', '-q', '-f', 'qcow2', diskPath, '1M']);
  const image = { name: 'web', title: 'Web', version: '12', osFlavor: 'debian', licence: 'free' };
  const { file } = await store().make(id, {
    format: 'qcow2',
    subject: {
      name: 'shop',
      vcpus: 1,
      memoryMib: 512,
      firmware: ['bios'],
      image,
      frozenAt: '2026-03-04T05:06:07.000Z',
      frozenHow: 'off',
    },
  });
  await sql(
    `UPDATE exports SET state = 'available', file_name = $2, size_bytes = $3, sha256 = $4, finished_at = now(),
                        expires_at = now() + interval '7 days' WHERE id = $1`,
    [id, file.name, file.sizeBytes, file.sha256],
  );
}

const store = () => api.current.get<ExportStore>(ExportStore);

describe('an export', () => {
  it('is asked for with an action, and its server is locked by another while its disk is frozen', async () => {
    const id = await readyServer();
    const answer = await ask('POST', `/v1/servers/${id}/exports`, { format: 'ova' });
    expect(answer.statusCode).toBe(201);
    const { export: made, action } = answer.json();
    expect(made).toMatchObject({
      status: 'creating',
      format: 'ova',
      progress: 0,
      created_from: { type: 'server', id, name: 'shop' },
      sha256: null,
      size_bytes: null,
      download: null,
    });
    expect(action).toMatchObject({
      command: 'export_server',
      status: 'running',
      resources: [{ id: made.id, type: 'export' }],
    });
    const [freezing] = (await ask('GET', `/v1/servers/${id}/actions?sort=started:desc`)).json().actions;
    expect(freezing).toMatchObject({ command: 'freeze_disk', resources: [{ id, type: 'server' }] });
    const again = await ask('POST', `/v1/servers/${id}/exports`, { format: 'ova' });
    expect([again.statusCode, again.json().error.code]).toEqual([423, 'locked']);
    await sql(`UPDATE actions SET status = 'success' WHERE command = 'freeze_disk'`);
    expect((await ask('POST', `/v1/servers/${id}/actions/reboot`)).statusCode).toBe(201);
    const { steps } = (await ask('GET', `/v1/actions/${action.id}`)).json().action.servery;
    expect(steps.map(({ name }: { name: string }) => name)).toEqual([
      'frozen',
      'turn',
      'flatten',
      'fetch',
      'make-file',
    ]);
  });

  it('can be of an image of the catalog, and is listed by what it is of and how far it is', async () => {
    const id = await readyServer();
    const [web] = (await ask('GET', '/v1/images?name=web')).json().images;
    const ofServer = (await exported(id)).json().export.id;
    const answer = await ask('POST', `/v1/images/${web.id}/exports`, { format: 'raw' });
    expect(answer.json()).toMatchObject({
      export: { created_from: { type: 'image', id: web.id } },
      action: { command: 'export_image' },
    });
    const ofImage = answer.json().export.id;
    const list = async (query: string) =>
      (await ask('GET', `/v1/exports?${query}`)).json().exports.map((one: { id: number }) => one.id);
    expect(await list(`server=${id}`)).toEqual([ofServer]);
    expect(await list(`image=${web.id}&status=creating`)).toEqual([ofImage]);
    expect(await list('sort=created:desc&per_page=1')).toEqual([ofImage]);
    expect(await list('status=available')).toEqual([]);
  });

  it('gives links to its file and manifest, to those who may change things, until it is deleted', async () => {
    const id = (await exported(await readyServer())).json().export.id;
    await finish(id);
    const shown = (await ask('GET', `/v1/exports/${id}`)).json().export;
    const { url, manifest_url, expires } = shown.download;
    expect(new Date(expires).getTime()).toBeGreaterThan(Date.now());
    const fetched = (link: string) => api.current.request('GET', link.slice(new URL(link).origin.length));
    const file = await fetched(url);
    expect([file.statusCode, file.headers['x-checksum-sha256'], file.rawPayload.length]).toEqual([
      200,
      shown.sha256,
      shown.size_bytes,
    ]);
    expect((await fetched(manifest_url)).json().file.sha256).toBe(shown.sha256);
    const read = await ask('GET', `/v1/exports/${id}`, undefined, owner.readToken);
    expect(read.json().export).toMatchObject({ status: 'available', sha256: shown.sha256, download: null });
    expect((await ask('DELETE', `/v1/exports/${id}`)).statusCode).toBe(204);
    expect((await fetched(url)).statusCode).toBe(404);
    expect((await ask('GET', `/v1/exports/${id}`)).statusCode).toBe(404);
    expect((await ask('DELETE', `/v1/exports/${id}`)).statusCode).toBe(404);
  });

  it('that is being made is given up when it is deleted', async () => {
    const { export: made, action } = (await exported(await readyServer())).json();
    expect((await ask('DELETE', `/v1/exports/${made.id}`)).statusCode).toBe(204);
    const [saga] = await sql(
      'SELECT undo_requested FROM sagas JOIN actions a ON a.saga_id = sagas.id WHERE a.id = $1',
      [action.id],
    );
    expect(saga.undo_requested).toMatchObject({ code: 'undo_requested' });
  });
});

describe('an export is refused', () => {
  it('in a format that there is not, and of what is not ready', async () => {
    const id = await readyServer();
    for (const body of [{ format: 'iso' }, {}, { format: 'ova', size: 1 }]) {
      const answer = await ask('POST', `/v1/servers/${id}/exports`, body);
      expect([body, answer.statusCode, answer.json().error.code]).toEqual([body, 422, 'invalid_input']);
    }
    await sql('UPDATE servers SET ready_at = NULL WHERE id = $1', [id]);
    const early = await exported(id);
    expect([early.statusCode, early.json().error.details.reason]).toEqual([409, 'server_not_ready']);
    expect((await ask('GET', '/v1/exports')).json().meta.pagination.total_entries).toBe(0);
  });

  it('where the licence of the appliance forbids it, by server and by image', async () => {
    const id = await readyServer();
    const forbid = (forbidden: string) =>
      sql(`UPDATE images SET appliance = jsonb_set(appliance, '{licenceForbids}', $1)`, [forbidden]);
    await forbid('["export"]');
    const [web] = (await ask('GET', '/v1/images?name=web')).json().images;
    const answers = [
      await exported(id),
      await ask('POST', `/v1/images/${web.id}/exports`, { format: 'qcow2' }),
    ];
    await forbid('[]');
    for (const answer of answers) {
      expect([answer.statusCode, answer.json().error.details.reason]).toEqual([
        403,
        'export_forbidden_by_licence',
      ]);
    }
  });

  it('beyond what a project may have', async () => {
    const id = await readyServer();
    for (let had = 0; had < EXPORT_LIMITS.creating; had += 1) {
      expect((await exported(id)).statusCode).toBe(201);
    }
    const tooMany = async () => {
      const answer = await exported(id);
      return [answer.statusCode, answer.json().error.code, answer.json().error.details.limit];
    };
    expect(await tooMany()).toEqual([403, 'resource_limit_exceeded', EXPORT_LIMITS.creating]);
    await sql(
      `INSERT INTO exports (id, account_id, project_id, server_id, source_name, format, state, file_name, size_bytes,
                            sha256, expires_at)
       SELECT 1000 + n, account_id, project_id, id, name, 'raw', 'available', 'x', 1, 'x', now()
       FROM servers, generate_series(1, $2) AS n WHERE id = $1`,
      [id, EXPORT_LIMITS.kept],
    );
    await sql(`UPDATE exports SET state = 'failed' WHERE state = 'creating'`);
    expect(await tooMany()).toEqual([403, 'resource_limit_exceeded', EXPORT_LIMITS.kept]);
  });

  it('to an account that is suspended for abuse, and not to one that does not pay', async () => {
    const id = await readyServer();
    const suspend = (reason: string) =>
      sql(
        `INSERT INTO account_suspensions (id, account_id, reason, note, since) VALUES ($1, $2, $3, '', now())`,
        [count++ + 10_000, owner.accountId, reason],
      );
    await suspend('billing');
    expect((await ask('POST', `/v1/servers/${id}/actions/reboot`)).json().error.details.reason).toBe(
      'server_suspended',
    );
    expect((await exported(id)).statusCode).toBe(201);
    await suspend('abuse');
    const answer = await exported(id);
    expect([answer.statusCode, answer.json().error.details.reason]).toEqual([
      403,
      'export_account_suspended',
    ]);
  });
});

describe('an export of an account that is suspended', () => {
  it('is kept for abuse as evidence, and may be deleted by who does not pay', async () => {
    const kept = (await exported(await readyServer())).json().export.id;
    const suspend = (reason: string) =>
      sql(
        `INSERT INTO account_suspensions (id, account_id, reason, note, since) VALUES ($1, $2, $3, '', now())`,
        [count++ + 10_000, owner.accountId, reason],
      );
    await suspend('abuse');
    const refused = await ask('DELETE', `/v1/exports/${kept}`);
    expect([refused.statusCode, refused.json().error]).toMatchObject([
      403,
      { code: 'forbidden', details: { reason: 'export_account_suspended', reasons: ['abuse'] } },
    ]);
    expect((await ask('GET', `/v1/exports/${kept}`)).json().export.status).toBe('creating');
    await sql(`UPDATE account_suspensions SET lifted_at = now() WHERE account_id = $1`, [owner.accountId]);
    await suspend('billing');
    await suspend('operator');
    expect((await ask('DELETE', `/v1/exports/${kept}`)).statusCode).toBe(204);
  });
});
