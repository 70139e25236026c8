import { beforeAll, expect, it } from 'vitest';
import { generateSshKeyPair } from '#libs/accounts';
import { newTenant, type Tenant } from '../../../test/api/marketplace.ts';
import { testApi } from '../../../test/api/test-api.ts';

const api = testApi();
const newKey = () => generateSshKeyPair().publicKey;
let tenant: Tenant;

beforeAll(async () => {
  tenant = await newTenant(api.current, 'owner@example.com');
});

const add = (name: string, public_key: string, headers = {}) =>
  api.current.request('POST', '/v1/ssh_keys', { token: tenant.token, body: { name, public_key }, headers });

it('takes a name and a key once in a project, and says which of them is taken', async () => {
  const key = newKey();
  expect((await add('me', key)).statusCode).toBe(201);
  for (const [answer, field] of [
    [await add('me', newKey()), 'name'],
    [await add('other', key), 'public_key'],
  ] as const) {
    expect(answer.statusCode).toBe(409);
    expect(answer.json().error).toMatchObject({
      code: 'uniqueness_error',
      details: { fields: [{ name: field }] },
    });
  }
});

it('takes one of many at once', async () => {
  const key = newKey();
  const answers = await Promise.all(Array.from({ length: 16 }, (_, index) => add(`racer-${index}`, key)));
  const statuses = answers.map(({ statusCode }) => statusCode).toSorted((a, b) => a - b);
  expect(statuses).toEqual([201, ...Array(15).fill(409)]);
});

it('makes one project of a name', async () => {
  const make = () =>
    api.current.request('POST', '/v1/projects', { cookie: tenant.cookie, body: { name: 'Shop' } });
  const answers = [await make(), await make()];
  expect(answers.map(({ statusCode }) => statusCode)).toEqual([201, 409]);
  expect(answers[1]?.json().error).toMatchObject({
    code: 'uniqueness_error',
    details: { fields: [{ name: 'name' }] },
  });
});
