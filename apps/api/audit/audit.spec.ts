import { ModulesContainer } from '@nestjs/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { AuditService } from '#libs/accounts';
import { newTenant, stockMarketplace, type Tenant } from '../../../test/api/marketplace.ts';
import { testApi } from '../../../test/api/test-api.ts';
import { describeEndpoints } from '../http/endpoints.ts';

const api = testApi();
const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ6pRvqRv9TbF1nYQ1S0m0m9gJw1m0mS1dJ0c1mQn0aB me';
let tenant: Tenant;

beforeAll(async () => {
  await stockMarketplace(api.current);
  tenant = await newTenant(api.current, 'audited@example.com');
});

async function entries() {
  return api.current.get<AuditService>(AuditService).list({ limit: 100 });
}

async function lastOf(count: number) {
  return (await entries())
    .slice(0, count)
    .reverse()
    .map(({ action, actorKind, subjectId }) => ({ action, actorKind, subjectId }));
}

describe('the audit', () => {
  it('has what a new customer did, with account, session and address', async () => {
    const found = (await entries()).toReversed();
    expect(found.map(({ action }) => action)).toEqual([
      'account.sign_up',
      'api_token.create',
      'api_token.revoke',
      'api_token.create',
      'api_token.create',
    ]);
    expect(found[0]).toMatchObject({
      accountId: tenant.accountId,
      email: 'audited@example.com',
      subjectKind: 'account',
      subjectId: tenant.accountId,
      ip: '127.0.0.1',
    });
    expect(found[2]).toMatchObject({ actorKind: 'session', subjectId: found[1]?.subjectId });
    expect(found[2]?.actorId).toBeGreaterThan(0);
  });

  it('has orders and what is done to servers and keys, by token, once however often they are sent', async () => {
    const { token } = tenant;
    const order = (headers = {}) =>
      api.current.request('POST', '/v1/servers', {
        token,
        headers,
        body: { name: 'a', server_type: 's1', image: 'web' },
      });
    const repeated = { 'idempotency-key': 'the-same' };
    const { server } = (await order(repeated)).json();
    await order(repeated);
    const { ssh_key } = (
      await api.current.request('POST', '/v1/ssh_keys', { token, body: { name: 'me', public_key: key } })
    ).json();
    await api.current.request('DELETE', `/v1/ssh_keys/${ssh_key.id}`, { token });
    await api.current.request('DELETE', `/v1/servers/${server.id}`, { token });
    expect(await lastOf(4)).toEqual([
      { action: 'server.create', actorKind: 'token', subjectId: server.id },
      { action: 'ssh_key.create', actorKind: 'token', subjectId: ssh_key.id },
      { action: 'ssh_key.delete', actorKind: 'token', subjectId: ssh_key.id },
      { action: 'server.delete', actorKind: 'token', subjectId: server.id },
    ]);
  });

  it('has nothing of what was refused or only read', async () => {
    const before = (await entries()).length;
    const { token } = tenant;
    await api.current.request('POST', '/v1/servers/1/actions/poweroff', { token });
    await api.current.request('GET', '/v1/servers', { token });
    await api.current.request('POST', '/v1/sessions', {
      body: { email: 'audited@example.com', password: 'not the password' },
    });
    expect((await entries()).length).toBe(before);
  });

  it('has the account that an operator acted on as the subject', async () => {
    const operator = await newTenant(api.current, 'operator@example.com');
    await api.current.dataSource.query(`UPDATE accounts SET role = 'operator' WHERE id = $1`, [
      operator.accountId,
    ]);
    const path = `/v1/operator/accounts/${tenant.accountId}/actions/suspend`;
    await api.current.request('POST', path, { cookie: operator.cookie, body: { reason: 'abuse' } });
    expect((await entries())[0]).toMatchObject({
      action: 'account.suspend',
      actorKind: 'operator',
      accountId: operator.accountId,
      subjectId: tenant.accountId,
    });
  });

  it('has each address once that is locked out of signing in', async () => {
    const body = { email: 'AUDITED@example.com', password: 'not the password' };
    for (let round = 0; round < 24; round += 1) await api.current.request('POST', '/v1/sessions', { body });
    const locked = (await entries()).filter(({ action }) => action === 'account.sign_in_locked');
    expect(locked).toMatchObject([{ accountId: tenant.accountId, actorKind: 'system', ip: '127.0.0.1' }]);
  });

  it('has a name for everything that changes something', () => {
    const changing = describeEndpoints(api.current.api.app.get(ModulesContainer)).filter(
      ({ method, access }) => method !== 'GET' && method !== 'OPTIONS' && access !== 'read',
    );
    const nameless = changing.filter(({ audit }) => audit === undefined);
    expect(nameless.map(({ method, path }) => `${method} ${path}`).sort()).toEqual([
      // Open pages of the provider's: what happens there is told by its events.
      'POST /v1/billing/portal',
      'POST /v1/billing/top_ups',
      // Writes its entry itself, where there is an account of that address.
      'POST /v1/password_resets',
      'POST /v1/payment_methods/setups',
      // Only ever refuses.
      'POST /v1/servers/:id/actions/:action',
      // Keeps its events itself.
      'POST /v1/webhooks/stripe',
    ]);
    expect(changing.length).toBeGreaterThan(20);
  });
});
