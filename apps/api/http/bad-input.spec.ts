import { ModulesContainer } from '@nestjs/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { newTenant, stockMarketplace, type Tenant } from '../../../test/api/marketplace.ts';
import { testApi } from '../../../test/api/test-api.ts';
import { describeEndpoints } from './endpoints.ts';

const api = testApi();
const json = { 'content-type': 'application/json' };
const order = { name: 'web-1', server_type: 's1', image: 'web' };
let tenant: Tenant;
let operatorCookie: string;

beforeAll(async () => {
  await stockMarketplace(api.current);
  tenant = await newTenant(api.current, 'owner@example.com');
  operatorCookie = (await newTenant(api.current, 'operator@example.com')).cookie;
  await api.current.dataSource.query(
    "UPDATE accounts SET role = 'operator' WHERE email = 'operator@example.com'",
  );
});

/** A request as it stands on the line; answers outside the envelope of errors are found by the caller. */
const send = (method: 'GET' | 'POST' | 'PUT', url: string, payload?: string | Buffer, headers = {}) =>
  api.current.api.app.inject({
    method,
    url,
    headers: { authorization: `Bearer ${tenant.token}`, ...json, ...headers },
    ...(payload === undefined ? {} : { payload }),
  });

describe('text that the database has no room for', () => {
  it('is refused in every query and path', async () => {
    const endpoints = describeEndpoints(api.current.api.app.get(ModulesContainer));
    const asked: string[] = [];
    for (const { method, path, access, parameters } of endpoints.filter(({ method }) => method === 'GET')) {
      const credentials = access === 'operator' ? { cookie: operatorCookie } : { token: tenant.token };
      for (const { place, schema } of parameters) {
        if (!(schema instanceof z.ZodObject) || place === 'body') continue;
        for (const key of Object.keys(schema.shape)) {
          const filled = path.replace(place === 'path' ? `:${key}` : '', '%00').replace(/:\w+/g, '1');
          const url = place === 'path' ? filled : `${path.replace(/:\w+/g, '1')}?${key}=%00`;
          const { statusCode } = await api.current.request(method, url, credentials);
          expect([url, statusCode < 500]).toEqual([url, true]);
          asked.push(url);
        }
      }
    }
    expect(asked.length).toBeGreaterThan(50);
  });

  it.each([
    ['/v1/servers', { ...order, image: '\0' }, 'image'],
    ['/v1/servers', { ...order, server_type: '\0' }, 'server_type'],
    ['/v1/servers', { ...order, location: '\0' }, 'location'],
    ['/v1/servers', { ...order, ssh_keys: ['\0'] }, 'ssh_keys.0'],
    ['/v1/quotes', { server_type: 's1', image: '\0' }, 'image'],
    ['/v1/sessions', { email: 'a\0@example.com', password: 'x' }, 'email'],
    ['/v1/servers/1/actions/create_image', { description: '\0' }, 'description'],
    ['/v1/servers/1/actions/create_image', { labels: { a: '\0' } }, 'labels.a'],
    ['/v1/images/import', { name: 'a', format: 'raw', upload: 1, description: '\0' }, 'description'],
    ['/v1/images/import', { name: 'a', format: 'raw', url: 'https://example.com/\0' }, 'url'],
  ])('is refused in the body of POST %s (case %#)', async (path, body, field) => {
    const answer = await send('POST', path, JSON.stringify(body));
    expect(answer.json().error).toMatchObject({
      code: 'invalid_input',
      details: { fields: [{ name: field }] },
    });
  });
});

describe('text that would be changed on its way to the database, or refused there', () => {
  const half = 'a\ud800b';

  it.each([
    ['POST', '/v1/servers', { ...order, name: half }, 'name'],
    ['POST', '/v1/servers', { ...order, user_data: half }, 'user_data'],
    ['POST', '/v1/servers', { ...order, user_data: '#!/bin/sh\n\0' }, 'user_data'],
    ['POST', '/v1/servers', { ...order, labels: { [half]: 'a' } }, `labels.${half}`],
    ['POST', '/v1/ssh_keys', { name: half, public_key: 'ssh-ed25519 AAAA' }, 'name'],
    ['POST', '/v1/ssh_keys', { name: 'a', public_key: `ssh-ed25519 AAAA ${half}` }, 'public_key'],
    ['POST', '/v1/servers/1/actions/create_image', { description: half }, 'description'],
    ['POST', '/v1/servers/1/rehearsals', { script: half }, 'script'],
    ['POST', '/v1/recipes', { name: 'a', files: [{ path: '/a', content: half }] }, 'files.0.content'],
    ['POST', '/v1/volumes', { name: half, size: 10, location: 'here' }, 'name'],
    ['PUT', '/v1/images/1', { description: half }, 'description'],
    ['PUT', '/v1/servers/1', { name: half }, 'name'],
  ] as const)('is refused: %s %s (case %#)', async (method, path, body, field) => {
    const answer = await send(method, path, JSON.stringify(body));
    expect([answer.statusCode, answer.json().error]).toMatchObject([
      422,
      { code: 'invalid_input', details: { fields: [{ name: field }] } },
    ]);
  });

  it('is refused in what people are called, and what they write, too', async () => {
    const { cookie } = tenant;
    for (const [method, path, body] of [
      ['POST', '/v1/projects', { name: half }],
      ['POST', '/v1/accounts', { email: 'half@example.com', password: 'correct horse', name: half }],
      ['POST', '/v1/operator/accounts/1/actions/suspend', { reason: 'abuse', note: half }],
    ] as const) {
      const answer = await api.current.request(method, path, {
        cookie: path.includes('operator') ? operatorCookie : cookie,
        body,
      });
      expect([path, answer.statusCode, answer.json().error.code]).toEqual([path, 422, 'invalid_input']);
    }
  });

  it('is no pair of surrogates, and no character that stands for one that was lost', async () => {
    for (const name of ['\ud83d\ude00', '\ufffd']) {
      const { project } = (
        await api.current.request('POST', '/v1/projects', { cookie: tenant.cookie, body: { name } })
      ).json();
      expect(project.name).toBe(name);
    }
  });
});

describe('a body', () => {
  it.each([
    ['is not UTF-8', Buffer.from([...Buffer.from('{"name":"'), 0xff, ...Buffer.from('"}')])],
    ['is nested too deep', `{"volumes":${'['.repeat(50_000)}${']'.repeat(50_000)}}`],
    ['reaches for prototypes', '{"__proto__":{"name":"x"}}'],
    ['is half of one', '{"name":'],
  ])('is refused where it %s', async (_why, payload) => {
    for (const headers of [{}, { 'idempotency-key': 'one' }]) {
      const answer = await send('POST', '/v1/servers', payload, headers);
      expect([answer.statusCode, answer.json().error.code]).toEqual([400, 'json_error']);
    }
  });

  it('is refused where it is too large, not JSON, or no object', async () => {
    const large = JSON.stringify({ ...order, user_data: 'x'.repeat(300_000) });
    expect((await send('POST', '/v1/servers', large)).json().error.code).toBe('request_too_large');
    for (const type of [
      'text/plain',
      'multipart/form-data; boundary=x',
      'application/x-www-form-urlencoded',
    ]) {
      const answer = await send('POST', '/v1/servers', '{}', { 'content-type': type });
      expect([type, answer.statusCode]).toEqual([type, 415]);
    }
    for (const payload of ['[]', 'null', '"x"', '']) {
      expect((await send('POST', '/v1/servers', payload)).json().error.details.fields[0].name).toBe('body');
    }
  });
});

describe('a refusal', () => {
  it.each([
    ['/v1/servers?sort=price', 'sort', /must be one of id, name, created/],
    ['/v1/actions?id=abc', 'id', /positive integer/],
    ['/v1/servers?status=gone', 'status', /initializing/],
    ['/v1/servers?per_page=-1', 'per_page', /positive integer/],
  ])('says what may stand there: %s', async (url, field, words) => {
    const [problem] = (await send('GET', url)).json().error.details.fields;
    expect(problem).toMatchObject({ name: field, messages: [expect.stringMatching(words)] });
  });

  it('says of a reference that is left out that it is missing', async () => {
    const answer = await send('POST', '/v1/servers', '{"name":"a"}');
    expect(answer.json().error.details.fields).toEqual([
      { name: 'server_type', messages: ['is missing'] },
      { name: 'image', messages: ['is missing'] },
    ]);
  });

  it.each(['/v1/servers/%ff', `/v1/servers/${'1'.repeat(300)}`])(
    'comes in the envelope even where there is no route: %s',
    async (url) => {
      const answer = await send('GET', url);
      expect([answer.statusCode, answer.json().error.code]).toEqual([404, 'not_found']);
    },
  );

  it('names the methods of a path', async () => {
    for (const method of ['PATCH', 'OPTIONS'] as const) {
      const answer = await api.current.request(method, '/v1/servers', { token: tenant.token });
      expect([answer.statusCode, answer.headers.allow]).toEqual([405, 'GET, HEAD, POST']);
    }
  });
});

it('counts and marks a request however its address is spelled', async () => {
  const answer = await send('GET', '/%76%31/servers');
  expect(answer.headers).toMatchObject({ 'cache-control': 'no-store', 'ratelimit-limit': '3600' });
});
