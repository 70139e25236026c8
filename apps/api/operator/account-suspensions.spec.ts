import { beforeAll, describe, expect, it } from 'vitest';
import { noteUnpaid } from '#libs/billing';
import { runInTransaction } from '#libs/database';
import { newTenant, stockMarketplace, type Tenant, usedServerOf } from '../../../test/api/marketplace.ts';
import { testApi } from '../../../test/api/test-api.ts';

const api = testApi();
let operator: Tenant;
let customer: Tenant;
let serverId: number;

const ask = (method: string, path: string, body?: unknown) =>
  api.current.request(method, path, { token: customer.token, body });
const decide = (action: string, body: unknown) =>
  api.current.request('POST', `/v1/operator/accounts/${customer.accountId}/actions/${action}`, {
    cookie: operator.cookie,
    body,
  });
const server = async () => (await ask('GET', `/v1/servers/${serverId}`)).json().server;
const me = async () =>
  (await api.current.request('GET', '/v1/account', { cookie: customer.cookie })).json().account;
const commands = async () =>
  (
    await api.current.dataSource.query<{ command: string }[]>(
      'SELECT command FROM actions WHERE server_id = $1 ORDER BY started_at',
      [serverId],
    )
  ).map(({ command }) => command);

beforeAll(async () => {
  await stockMarketplace(api.current);
  operator = await newTenant(api.current, 'operator@example.com');
  customer = await newTenant(api.current, 'customer@example.com');
  const { dataSource } = api.current;
  await dataSource.query(`UPDATE accounts SET role = 'operator' WHERE id = $1`, [operator.accountId]);
  const body = { name: 'web', server_type: 's1', image: 'web' };
  serverId = (await ask('POST', '/v1/servers', body)).json().server.id;
  // As the workflow leaves a server that it has handed over.
  await dataSource.query(`UPDATE servers SET ready_at = now(), observed = 'running'`);
  await dataSource.query(`UPDATE actions SET status = 'success'`);
  await dataSource.query(`UPDATE sagas SET state = 'done', finished_at = now()`);
});

describe('an account that its operator suspends', () => {
  it('has its servers switched off, and is told of both reasons and their lifting one by one', async () => {
    const note = 'Port 25 sends spam';
    const answer = await decide('suspend', { reason: 'abuse', note });
    expect(answer.statusCode).toBe(200);
    expect(answer.json().account.suspensions).toMatchObject([{ reason: 'abuse', note }]);
    await decide('suspend', { reason: 'operator' });
    await decide('suspend', { reason: 'abuse', note: 'again' });
    expect((await me()).suspensions).toMatchObject([{ reason: 'abuse', note }, { reason: 'operator' }]);
    expect((await server()).servery.suspension).toMatchObject({ reasons: ['abuse', 'operator'] });
    expect(await commands()).toEqual(['create_server', 'suspend_server']);
    const mails = await api.current.dataSource.query(
      `SELECT data ->> 'reason' AS reason, data ->> 'note' AS note FROM mails WHERE template = 'account-suspended'
       ORDER BY id`,
    );
    expect(mails).toHaveLength(2);
    expect(mails).toContainEqual({ reason: 'abuse', note });
  });

  it.each([
    ['poweron', undefined],
    ['poweroff', undefined],
    ['shutdown', undefined],
    ['reboot', undefined],
    ['reset', undefined],
    ['reset_password', undefined],
    ['rebuild', { image: 'web' }],
  ])('cannot %s a server for as long as any reason stands', async (action, body) => {
    const answer = await ask('POST', `/v1/servers/${serverId}/actions/${action}`, body);
    expect(answer.statusCode).toBe(403);
    expect(answer.json().error).toMatchObject({
      code: 'forbidden',
      details: { reason: 'server_suspended', reasons: ['abuse', 'operator'] },
    });
  });

  it('cannot delete what may be evidence of abuse', async () => {
    const answer = await ask('DELETE', `/v1/servers/${serverId}`);
    expect([answer.statusCode, answer.json().error.details]).toEqual([
      403,
      { reason: 'server_suspended', reasons: ['abuse'] },
    ]);
    expect(await commands()).toEqual(['create_server', 'suspend_server']);
  });

  it('orders nothing', async () => {
    const answer = await ask('POST', '/v1/servers', { name: 'b', server_type: 's1', image: 'web' });
    expect(answer.json().error).toMatchObject({
      code: 'forbidden',
      details: { reason: 'account_suspended' },
    });
  });

  it('is free once all reasons are lifted; lifting what does not stand changes nothing', async () => {
    expect((await decide('unsuspend', { reason: 'operator' })).json().account.suspensions).toHaveLength(1);
    expect((await server()).servery.suspension.reasons).toEqual(['abuse']);
    expect((await decide('unsuspend', { reason: 'operator' })).json().account.suspensions).toHaveLength(1);
    expect((await decide('unsuspend', { reason: 'abuse' })).json().account.suspensions).toEqual([]);
    expect((await server()).servery.suspension).toBeNull();
  });

  it('is not suspended for what only the books may say, nor where there is none', async () => {
    for (const action of ['suspend', 'unsuspend']) {
      expect((await decide(action, { reason: 'billing' })).statusCode).toBe(422);
      const nobody = await api.current.request('POST', `/v1/operator/accounts/1/actions/${action}`, {
        cookie: operator.cookie,
        body: { reason: 'abuse' },
      });
      expect(nobody.statusCode).toBe(404);
    }
    expect((await me()).suspensions).toEqual([]);
  });
});

it('an account whose payment failed orders nothing until it has paid', async () => {
  const invoiceId = await usedServerOf(api.current, customer);
  const { accountId } = customer;
  await runInTransaction(api.current.dataSource, (manager) =>
    noteUnpaid(manager, { accountId, invoiceId, at: new Date(), isHard: true }),
  );
  const answer = await ask('POST', '/v1/servers', { name: 'c', server_type: 's1', image: 'web' });
  expect(answer.statusCode).toBe(402);
  expect(answer.json().error).toMatchObject({
    code: 'payment_required',
    details: { reason: 'account_in_arrears' },
  });
});
