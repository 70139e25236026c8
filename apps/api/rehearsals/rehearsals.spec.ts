import { beforeAll, describe, expect, it } from 'vitest';
import { firstPrice } from '#libs/billing';
import { keepOutput } from '#libs/rehearsals';
import { newTenant, stockMarketplace, type Tenant } from '../../../test/api/marketplace.ts';
import { testApi } from '../../../test/api/test-api.ts';

const api = testApi();
let owner: Tenant;

const SCRIPT = '#!/bin/sh\nPASSWORD=correct-horse-battery apt-get -y upgrade\n';

const ask = (method: string, path: string, body?: unknown, token = owner.token) =>
  api.current.request(method, path, { token, body });
const sql = <T = unknown>(text: string, values: unknown[] = []) =>
  api.current.dataSource.query<T[]>(text, values);

beforeAll(async () => {
  await stockMarketplace(api.current);
});

let count = 0;

/** Of a tenant of its own, as the workflow leaves one that it has handed over. */
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

async function rehearse(serverId: number, more: object = {}) {
  const answer = await ask('POST', `/v1/servers/${serverId}/rehearsals`, { script: SCRIPT, ...more });
  await sql(`UPDATE actions SET status = 'success' WHERE server_id = $1`, [serverId]);
  return answer;
}

/** As the workflow leaves one. */
const end = (id: number, state: 'passed' | 'failed') =>
  sql(`UPDATE rehearsals SET state = $2, finished_at = now() WHERE id = $1`, [id, state]);

const suspend = (reason: string) =>
  sql('INSERT INTO account_suspensions (id, account_id, reason, since) VALUES ($1, $2, $3, now())', [
    ++count,
    owner.accountId,
    reason,
  ]);

describe('a rehearsal', () => {
  it('is asked for with its checks, and its clone is a server of the project', async () => {
    const serverId = await readyServer();
    const health_checks = [{ type: 'tcp', port: 80 }];
    const answer = await rehearse(serverId, { health_checks });
    expect(answer.statusCode).toBe(201);
    const { rehearsal, action } = answer.json();
    expect(rehearsal).toMatchObject({
      server: serverId,
      status: 'rehearsing',
      health_checks,
      timeout_seconds: 1800,
      applicable_until: null,
      rehearsal: { status: 'waiting', changes: null },
      production: null,
    });
    expect(action).toMatchObject({
      command: 'rehearse_server',
      resources: [{ id: rehearsal.id, type: 'rehearsal' }],
    });
    const clone = (await ask('GET', `/v1/servers/${rehearsal.clone.server}`)).json().server;
    expect(clone.name).toBe(`rehearsal-${rehearsal.id}`);
    const { rehearsals } = (await ask('GET', `/v1/rehearsals?server=${serverId}`)).json();
    expect(rehearsals).toMatchObject([{ id: rehearsal.id }]);
  });

  it('has its script sealed, and in no answer', async () => {
    const serverId = await readyServer();
    const { rehearsal } = (await rehearse(serverId)).json();
    const [row] = await sql<{ script: Buffer }>('SELECT script FROM rehearsals WHERE id = $1', [
      rehearsal.id,
    ]);
    expect(row?.script.length).toBeGreaterThan(SCRIPT.length);
    expect(row?.script.includes('correct-horse')).toBe(false);
    const seen = await ask('GET', `/v1/rehearsals/${rehearsal.id}`);
    expect(seen.body).not.toContain('correct-horse');
    const written = await sql(
      `SELECT g::text FROM sagas g WHERE g::text LIKE '%correct-horse%'
       UNION ALL SELECT e::text FROM audit_entries e WHERE e::text LIKE '%correct-horse%'`,
    );
    expect(written).toEqual([]);
  });

  it('is one at a time for a server, and of one that runs', async () => {
    const serverId = await readyServer();
    await rehearse(serverId);
    const second = await rehearse(serverId);
    expect([second.statusCode, second.json().error.details.reason]).toEqual([423, 'rehearsal_under_way']);
    const off = await readyServer();
    await sql(`UPDATE servers SET observed = 'off' WHERE id = $1`, [off]);
    expect((await rehearse(off)).json().error.details.reason).toBe('server_must_run');
  });

  it('names what is wrong with what was asked', async () => {
    const serverId = await readyServer();
    for (const [wrong, field] of [
      [{ script: 'x'.repeat(64 * 1024 + 1) }, 'script'],
      [{ timeout_seconds: 7201 }, 'timeout_seconds'],
      [
        { health_checks: [{ type: 'http', port: 80, path: '/ HTTP/1.1', status: 200 }] },
        'health_checks.0.path',
      ],
    ] as const) {
      const answer = await rehearse(serverId, wrong);
      expect(answer.statusCode).toBe(422);
      expect(answer.json().error.details.fields[0].name).toBe(field);
    }
  });

  it('has its output read in slices, whole characters each, by those who may change things', async () => {
    const serverId = await readyServer();
    const { rehearsal } = (await rehearse(serverId)).json();
    const [run] = await sql<{ id: number }>('SELECT id FROM rehearsal_runs WHERE rehearsal_id = $1', [
      rehearsal.id,
    ]);
    const text = `${'ä€𝄞'.repeat(15_000)}end`;
    const bytes = Buffer.from(text);
    for (let position = 0; position < bytes.length; position += 50_001) {
      const slice = { position, bytes: bytes.subarray(position, position + 50_001) };
      await keepOutput(api.current.dataSource.manager, run?.id ?? 0, slice);
      await keepOutput(api.current.dataSource.manager, run?.id ?? 0, slice);
    }
    await sql('UPDATE rehearsal_runs SET exit_code = 0 WHERE id = $1', [run?.id]);
    const path = (after: number) => `/v1/rehearsals/${rehearsal.id}/output?after=${after}`;
    let read = '';
    for (let after = 0, isEnd = false; !isEnd; ) {
      const { output } = (await ask('GET', path(after))).json();
      read += output.text;
      [after, isEnd] = [output.next, output.is_end];
    }
    expect(read).toBe(text);
    expect((await ask('GET', path(0), undefined, owner.readToken)).statusCode).toBe(403);
  });
});

describe('applying it', () => {
  it('waits for its end, and takes a word more where it has failed', async () => {
    const serverId = await readyServer();
    const { rehearsal } = (await rehearse(serverId)).json();
    const apply = (body?: object) => ask('POST', `/v1/rehearsals/${rehearsal.id}/actions/apply`, body);
    expect((await apply()).json().error.details).toMatchObject({
      reason: 'rehearsal_not_applicable',
      state: 'rehearsing',
    });
    await end(rehearsal.id, 'failed');
    expect((await apply()).json().error.details.reason).toBe('rehearsal_failed');
    const answer = await apply({ even_if_failed: true });
    expect([answer.statusCode, answer.json().action.command]).toEqual([201, 'apply_rehearsal']);
    expect((await ask('GET', `/v1/rehearsals/${rehearsal.id}`)).json().rehearsal).toMatchObject({
      status: 'applying',
      production: { status: 'waiting', server: serverId },
    });
    expect((await ask('GET', `/v1/servers/${serverId}`)).json().server.locked).toBe(true);
    const { images } = (await ask('GET', '/v1/images?type=snapshot&status=creating')).json();
    expect(images).toMatchObject([{ description: `Before rehearsal ${rehearsal.id} was applied` }]);
    expect((await ask('DELETE', `/v1/rehearsals/${rehearsal.id}`)).statusCode).toBe(423);
  });

  it('is refused to who may keep no snapshot, where snapshots cost', async () => {
    const { rehearsal } = (await rehearse(await readyServer())).json();
    await end(rehearsal.id, 'passed');
    const { manager } = api.current.dataSource;
    await sql('UPDATE cards SET expiry_year = 2020');
    await firstPrice(manager, { item: 'snapshot/gib', hourlyMicro: 2000, title: 'Snapshot' });
    const refused = await ask('POST', `/v1/rehearsals/${rehearsal.id}/actions/apply`);
    expect([refused.statusCode, refused.json().error.details.reason]).toEqual([402, 'card_expired']);
    await sql('UPDATE cards SET expiry_year = 2099');
    expect((await ask('POST', `/v1/rehearsals/${rehearsal.id}/actions/apply`)).statusCode).toBe(201);
  });

  it('waits until another one of its server has ended', async () => {
    const serverId = await readyServer();
    const former = (await rehearse(serverId)).json().rehearsal;
    await end(former.id, 'passed');
    const { rehearsal } = (await rehearse(serverId)).json();
    const refused = await ask('POST', `/v1/rehearsals/${former.id}/actions/apply`);
    expect([refused.statusCode, refused.json().error.details]).toMatchObject([
      423,
      { reason: 'rehearsal_under_way', rehearsal: rehearsal.id },
    ]);
    await end(rehearsal.id, 'failed');
    expect((await ask('POST', `/v1/rehearsals/${former.id}/actions/apply`)).statusCode).toBe(201);
  });

  it('is refused when it is too old', async () => {
    const { rehearsal } = (await rehearse(await readyServer())).json();
    await end(rehearsal.id, 'passed');
    await sql(`UPDATE rehearsals SET script = NULL WHERE id = $1`, [rehearsal.id]);
    const answer = await ask('POST', `/v1/rehearsals/${rehearsal.id}/actions/apply`);
    expect(answer.json().error.details.reason).toBe('rehearsal_not_applicable');
  });
});

describe('forgetting it', () => {
  it('deletes the clone that it keeps', async () => {
    const { rehearsal } = (await rehearse(await readyServer())).json();
    await end(rehearsal.id, 'passed');
    expect((await ask('DELETE', `/v1/rehearsals/${rehearsal.id}`)).statusCode).toBe(204);
    expect((await ask('GET', `/v1/rehearsals/${rehearsal.id}`)).statusCode).toBe(404);
    const clone = (await ask('GET', `/v1/servers/${rehearsal.clone.server}`)).json().server;
    expect(clone.status).toBe('deleting');
  });

  it('is refused to an account that is suspended for abuse, for its clone is evidence', async () => {
    const ended = (await rehearse(await readyServer())).json().rehearsal;
    await end(ended.id, 'passed');
    await suspend('abuse');
    const refused = await ask('DELETE', `/v1/rehearsals/${ended.id}`);
    expect([refused.statusCode, refused.json().error]).toMatchObject([
      403,
      { code: 'forbidden', details: { reason: 'server_suspended', reasons: ['abuse'] } },
    ]);
    const clone = (await ask('GET', `/v1/servers/${ended.clone.server}`)).json().server;
    expect(clone.status).not.toBe('deleting');
    await sql('UPDATE account_suspensions SET lifted_at = now() WHERE account_id = $1', [owner.accountId]);
    await suspend('billing');
    expect((await ask('DELETE', `/v1/rehearsals/${ended.id}`)).statusCode).toBe(204);
  });

  it('is refused for abuse also while it is under way', async () => {
    const { rehearsal } = (await rehearse(await readyServer())).json();
    await suspend('abuse');
    expect((await ask('DELETE', `/v1/rehearsals/${rehearsal.id}`)).statusCode).toBe(403);
  });
});
