import { mkdtempSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { newTenant, stockMarketplace, type Tenant } from './marketplace.ts';
import { testApi } from './test-api.ts';

const folder = mkdtempSync(join(tmpdir(), 'servery-imports-'));
const api = testApi(undefined, { SERVERY_IMPORTS_DIR: folder });
let owner: Tenant;
let stranger: Tenant;

beforeAll(async () => {
  await stockMarketplace(api.current);
  owner = await newTenant(api.current, 'owner@example.com');
  stranger = await newTenant(api.current, 'stranger@example.com');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const tus = (headers: Record<string, string> = {}) => ({ 'tus-resumable': '1.0.0', ...headers });
const ask = (method: string, path: string, of: Tenant, headers = {}, body?: unknown) =>
  api.current.request(method, path, { token: of.token, headers: tus(headers), ...(body ? { body } : {}) });

it('an upload is reached by nobody else, whatever stands behind the path of their own', async () => {
  const metadata = `filename ${Buffer.from('payroll.qcow2').toString('base64')}`;
  const theirs = await ask('POST', '/v1/uploads', owner, {
    'upload-length': '10',
    'upload-metadata': metadata,
  });
  const mine = await ask('POST', '/v1/uploads', stranger, { 'upload-length': '10' });
  const id = String(theirs.headers.location).split('/').at(-1);
  const path = `${mine.headers.location}?x=/${id}`;
  const append = { 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' };
  await ask('PATCH', path, stranger, append, Buffer.from('stranger!!'));
  const looked = await ask('HEAD', path, stranger);
  expect({
    bytes: await readFile(join(folder, 'uploads', String(id)), 'latin1'),
    metadata: looked.headers['upload-metadata'],
  }).toEqual({ bytes: '', metadata: undefined });
});

it('those that wait are listed to their owner, with what is here of them, until they are given up', async () => {
  const begun = await ask('POST', '/v1/uploads', owner, { 'upload-length': '10' });
  const id = Number(String(begun.headers.location).split('/').at(-1));
  const part = { 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' };
  await ask('PATCH', `/v1/uploads/${id}`, owner, part, Buffer.from('half'));
  const listed = async (of: Tenant) =>
    ((await ask('GET', '/v1/uploads', of)).json() as { uploads: { id: number }[] }).uploads.filter(
      (upload) => upload.id === id,
    );
  const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  expect(await listed(owner)).toEqual([
    { id, length_bytes: 10, here_bytes: 4, created: time, expires: time },
  ]);
  expect(await listed(stranger)).toEqual([]);
  await ask('DELETE', `/v1/uploads/${id}`, owner);
  expect(await listed(owner)).toEqual([]);
});

it('who may not order may not leave files here either, whichever way they come', async () => {
  await api.current.dataSource.query('DELETE FROM cards');
  const ask = (path: string, headers: Record<string, string>, body?: unknown) =>
    api.current.request('POST', path, {
      token: owner.token,
      headers,
      ...(body === undefined ? {} : { body }),
    });
  const form = new FormData();
  form.set('name', 'mine');
  form.set('format', 'raw');
  form.set('file', new Blob([new Uint8Array(512)]), 'disk');
  const encoded = new Response(form);
  const byForm = await ask(
    '/v1/images/import',
    { 'content-type': String(encoded.headers.get('content-type')) },
    Buffer.from(await encoded.arrayBuffer()),
  );
  const inParts = await ask('/v1/uploads', { 'tus-resumable': '1.0.0', 'upload-length': String(2 ** 30) });
  expect([byForm.statusCode, inParts.statusCode]).toEqual([402, 402]);
});
