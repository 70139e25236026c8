import { mkdtempSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ImportStore, UploadsService } from '#libs/imports';
import { type Ground, ground, ovf, tar } from '../../libs/disk-files/planted.fixture.ts';
import { newTenant, stockMarketplace, type Tenant } from './marketplace.ts';
import { testApi } from './test-api.ts';

const folder = mkdtempSync(join(tmpdir(), 'servery-imports-'));
const api = testApi(undefined, { SERVERY_IMPORTS_DIR: folder, SERVERY_IMPORTS_PER_PROJECT: '2' });
let owner: Tenant;
let stranger: Tenant;
let at: Ground;

beforeAll(async () => {
  await stockMarketplace(api.current);
  owner = await newTenant(api.current, 'owner@example.com');
  stranger = await newTenant(api.current, 'stranger@example.com');
  at = await ground();
});

afterAll(async () => {
  await at[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const IMPORT = '/v1/images/import';
const ask = (method: string, path: string, body?: unknown, headers = {}, of = owner) =>
  api.current.request(method, path, { token: of.token, headers, ...(body === undefined ? {} : { body }) });

/** One multipart body, as curl -F makes it. */
async function sendFile(format: string, file: Buffer, name = 'mine', headers = {}) {
  const form = new FormData();
  form.set('name', name);
  form.set('file', new Blob([new Uint8Array(file)]), 'disk');
  form.set('format', format);
  const encoded = new Response(form);
  const type = encoded.headers.get('content-type');
  return ask('POST', IMPORT, Buffer.from(await encoded.arrayBuffer()), {
    'content-type': type,
    ...headers,
  });
}

const rowsOf = async (sql: string) => (await api.current.dataSource.query<unknown[]>(sql)).length;
const filesHere = () => api.current.get<ImportStore>(ImportStore).present();

async function nothingIsLeft() {
  expect(await filesHere()).toEqual({ uploads: [], imports: [] });
  expect(await rowsOf('SELECT id FROM uploads')).toBe(0);
  expect(await rowsOf('SELECT image_id FROM image_imports')).toBe(0);
  expect(await rowsOf('SELECT id FROM actions')).toBe(0);
}

/** As if its workflow had ended. */
async function forgetAll() {
  const { dataSource } = api.current;
  await dataSource.query(`UPDATE image_imports SET finished_at = now(); DELETE FROM uploads`);
  await api.current.get<UploadsService>(UploadsService).removeExpired();
}

async function goodDisk(): Promise<Buffer> {
  await at.qemuImg('create', '-q', '-f', 'qcow2', 'good.qcow2', '1G');
  return readFile(at.path('good.qcow2'));
}

describe('a file that is an attack', () => {
  const planted: [what: string, format: string, code: string, make: () => Promise<Buffer>][] = [
    [
      'a qcow2 with a backing file',
      'qcow2',
      'disk_refers_elsewhere',
      async () => {
        await at.qemuImg('create', '-q', '-f', 'qcow2', '-b', at.secretPath, '-F', 'raw', 'backed.qcow2');
        return readFile(at.path('backed.qcow2'));
      },
    ],
    [
      'a VMDK with an extent at an absolute path',
      'vmdk',
      'disk_refers_elsewhere',
      async () =>
        Buffer.from(
          `# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\ncreateType="monolithicFlat"\n\nRW 128 FLAT "${at.secretPath}" 0\n`.padEnd(
            1024,
            '\n',
          ),
        ),
    ],
    [
      'an OVA with a name that leads out of it',
      'ova',
      'archive_unsafe',
      async () =>
        tar([
          { name: 'm.ovf', bytes: ovf('../../etc/shadow') },
          { name: '../../etc/shadow', bytes: 'x' },
        ]),
    ],
    ['a qcow2 that was called raw', 'raw', 'disk_format_mismatch', goodDisk],
  ];

  it.each(planted)(
    '%s is refused in the answer, and nothing of it is left',
    async (_what, format, code, make) => {
      const answer = await sendFile(format, await make());
      expect([answer.statusCode, answer.json().error]).toMatchObject([
        422,
        { code: 'invalid_input', details: { reason: code } },
      ]);
      expect(answer.body).not.toContain(at.secret);
      await nothingIsLeft();
    },
  );

  it.each([
    ['http://disks.example.com/a.qcow2', 'fetch_url_refused'],
    ['https://user:password@disks.example.com/a.qcow2', 'fetch_url_refused'],
    ['file:///etc/shadow', 'fetch_url_refused'],
    ['https://127.0.0.1/a.qcow2', 'fetch_address_refused'],
    ['https://0x7f.1/a.qcow2', 'fetch_address_refused'],
    ['https://10.1.2.3/a.qcow2', 'fetch_address_refused'],
    ['https://169.254.169.254/latest', 'fetch_address_refused'],
    ['https://[::ffff:127.0.0.1]/a.qcow2', 'fetch_address_refused'],
  ])('%s is not fetched', async (url, code) => {
    const answer = await ask('POST', IMPORT, { name: 'mine', format: 'qcow2', url });
    expect([answer.statusCode, answer.json().error.details.reason]).toEqual([422, code]);
    await nothingIsLeft();
  });

  it('is refused where the form is not whole, and where it is no form', async () => {
    const without = await sendFile('qed', Buffer.alloc(512));
    expect([without.statusCode, without.json().error.details.fields[0].name]).toEqual([422, 'format']);
    const torn = await ask(
      'POST',
      IMPORT,
      '--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nhalf',
      {
        'content-type': 'multipart/form-data; boundary=x',
      },
    );
    expect([torn.statusCode, torn.json().error.code]).toEqual([422, 'invalid_input']);
    const both = await ask('POST', IMPORT, { name: 'a', format: 'raw', url: 'https://a.example', upload: 1 });
    expect([both.statusCode, both.json().error.details.fields[0].name]).toEqual([422, 'url']);
    await nothingIsLeft();
  });
});

describe('a disk that is sound', () => {
  it('becomes an image of the project, with an action that is about it alone', async () => {
    const answer = await sendFile('qcow2', await goodDisk(), 'web-01');
    expect([answer.statusCode, answer.json()]).toMatchObject([
      201,
      {
        image: {
          type: 'snapshot',
          status: 'creating',
          description: 'web-01',
          created_from: null,
          disk_size: 1,
        },
        action: { command: 'import_image', status: 'running' },
      },
    ]);
    const { image, action } = answer.json();
    expect(action.resources).toEqual([{ id: image.id, type: 'image' }]);
    const shown = await ask('GET', `/v1/actions/${action.id}`);
    expect(shown.json().action.servery.steps).toHaveLength(5);
    expect((await ask('GET', `/v1/images/${image.id}`, undefined, {}, stranger)).statusCode).toBe(404);
    await forgetAll();
  });

  it('is imported once under one key, however often the form comes, and the key is for that form alone', async () => {
    const disk = await goodDisk();
    const key = { 'idempotency-key': 'one-disk' };
    const first = await sendFile('qcow2', disk, 'once', key);
    const again = await sendFile('qcow2', disk, 'once', key);
    expect([first.statusCode, again.statusCode]).toEqual([201, 201]);
    expect(again.json()).toEqual(first.json());
    expect(again.headers['idempotency-replayed']).toBe('true');
    await at.qemuImg('create', '-q', '-f', 'qcow2', 'other.qcow2', '2G');
    const other = await sendFile('qcow2', await readFile(at.path('other.qcow2')), 'once', key);
    const named = await sendFile('qcow2', disk, 'another name', key);
    expect([other.statusCode, named.statusCode]).toEqual([409, 409]);
    expect(await rowsOf('SELECT id FROM uploads')).toBe(1);
    expect((await filesHere()).uploads).toHaveLength(1);
    await forgetAll();
  });

  it('takes keys of the project for its root, and what it starts on can be changed', async () => {
    const public_key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGxpZ2h0aG91c2UtMDAwMDAwMDAwMDAwMDAwMDAwMDAw';
    const key = (await ask('POST', '/v1/ssh_keys', { name: 'me', public_key })).json().ssh_key;
    const url = 'https://disks.example.com/web.qcow2';
    const unknown = await ask('POST', IMPORT, { name: 'a', format: 'qcow2', url, ssh_keys: ['nobody'] });
    expect([unknown.statusCode, unknown.json().error.details.fields[0].name]).toEqual([422, 'ssh_keys']);
    const { image } = (
      await ask('POST', IMPORT, { name: 'a', format: 'qcow2', url, ssh_keys: [key.id] })
    ).json();
    const [row] = await api.current.dataSource.query(
      'SELECT ssh_public_keys AS keys FROM image_imports WHERE image_id = $1',
      [image.id],
    );
    expect(row.keys).toEqual([public_key]);
    const path = `/v1/images/${image.id}`;
    const devices = { firmware: 'uefi', disk_bus: 'sata' };
    const changed = await ask('PUT', path, { servery: { devices, verification: 'ssh' } });
    expect(changed.json().image.servery).toMatchObject({
      devices: { ...devices, nic_model: 'virtio' },
      verification: 'ssh',
    });
    const wrong = await ask('PUT', path, { servery: { devices: { disk_bus: 'scsi' } } });
    expect([wrong.statusCode, wrong.json().error.code]).toEqual([422, 'invalid_input']);
    expect((await ask('PUT', path, { servery: { devices } }, {}, stranger)).statusCode).toBe(404);
    await forgetAll();
  });

  it('is fetched later where it lies elsewhere, from an address that is kept sealed', async () => {
    const url = 'https://disks.example.com/web.qcow2?signature=of-the-owner';
    const answer = await ask('POST', IMPORT, { name: 'elsewhere', format: 'qcow2', url });
    expect([answer.statusCode, answer.json().image.status]).toEqual([201, 'creating']);
    const [stored] = await api.current.dataSource.query(
      `SELECT convert_from(decode(encode(sealed_url, 'hex'), 'escape'), 'LATIN1') AS url, params::text AS params
       FROM image_imports, sagas WHERE sealed_url IS NOT NULL AND subject_id = image_id`,
    );
    expect(JSON.stringify(stored)).not.toContain('of-the-owner');
    await forgetAll();
  });
});

describe('a resumable upload', () => {
  const tus = (headers: Record<string, string> = {}) => ({ 'tus-resumable': '1.0.0', ...headers });
  const create = (bytes: number) =>
    ask('POST', '/v1/uploads', undefined, tus({ 'upload-length': String(bytes) }));
  const append = (path: string, offset: number, bytes: Buffer, of = owner) =>
    ask(
      'PATCH',
      path,
      bytes,
      tus({ 'upload-offset': String(offset), 'content-type': 'application/offset+octet-stream' }),
      of,
    );

  it('goes on where it broke off, and is imported once, when it is whole', async () => {
    const disk = await goodDisk();
    const made = await create(disk.length);
    expect(made.statusCode).toBe(201);
    const path = String(made.headers.location);
    const id = Number(path.split('/').at(-1));
    expect((await append(path, 0, disk.subarray(0, 1000), stranger)).statusCode).toBe(404);
    expect((await append(path, 0, disk.subarray(0, 1000))).statusCode).toBe(204);
    const body = { name: 'in parts', format: 'qcow2', upload: id };
    const early = await ask('POST', IMPORT, body);
    expect([early.statusCode, early.json().error.details.reason]).toEqual([409, 'upload_incomplete']);
    const looked = await ask('HEAD', path, undefined, tus());
    expect([looked.statusCode, looked.headers['upload-offset']]).toEqual([200, '1000']);
    expect((await append(path, 999, disk.subarray(999))).json().error.code).toBe('invalid_state');
    expect((await append(path, 1000, disk.subarray(1000))).statusCode).toBe(204);
    expect((await readFile(join(folder, 'uploads', String(id)))).equals(disk)).toBe(true);
    expect((await ask('POST', IMPORT, body, {}, stranger)).statusCode).toBe(404);
    expect((await ask('POST', IMPORT, body)).statusCode).toBe(201);
    const again = await ask('POST', IMPORT, body);
    expect([again.statusCode, again.json().error.details.reason]).toEqual([409, 'upload_taken']);
    expect((await ask('DELETE', path, undefined, tus())).statusCode).toBe(409);
    await forgetAll();
  });

  it('is bounded in size and number, and goes when it is given up or has expired', async () => {
    expect((await create(2 ** 50)).json().error.code).toBe('request_too_large');
    expect((await ask('POST', '/v1/uploads', undefined, tus())).statusCode).toBe(422);
    const made = [await create(10), await create(10)];
    expect(made.map(({ statusCode }) => statusCode)).toEqual([201, 201]);
    const paths = made.map(({ headers }) => String(headers.location));
    const third = await create(10);
    expect([third.statusCode, third.json().error.details.reason]).toEqual([403, 'import_limit_reached']);
    expect((await ask('DELETE', paths[0] ?? '', undefined, tus())).statusCode).toBe(204);
    await api.current.dataSource.query(`UPDATE uploads SET expires_at = now() - interval '1 second'`);
    expect((await ask('HEAD', paths[1] ?? '', undefined, tus())).statusCode).toBe(404);
    await api.current.get<UploadsService>(UploadsService).removeExpired();
    expect(await filesHere()).toEqual({ uploads: [], imports: [] });
    expect(await rowsOf('SELECT id FROM uploads')).toBe(0);
  });
});
