import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DownloadLinks, ExportExpiry, ExportStore } from '#libs/exports';
import { type ExportManifest, makeExport } from '#libs/exports/files';
import { newTenant } from '../../../test/api/marketplace.ts';
import { testApi } from '../../../test/api/test-api.ts';

const run = promisify(execFile);
const EXPORT_ID = 4_711_001;

const folder = await mkdtemp(join(tmpdir(), 'servery-downloads-'));
const api = testApi(undefined, { SERVERY_EXPORTS_DIR: join(folder, 'exports') });
let manifest: ExportManifest;
let whole: Buffer;

beforeAll(async () => {
  const diskPath = join(folder, 'flat.qcow2');
  await run('qemu-img', ['create', '-q', '-f', 'qcow2', diskPath, '64M']);
  const made = store().folderOf(EXPORT_ID);
  const image = { name: 'web', title: 'Web', version: '12', osFlavor: 'debian', licence: 'free' };
  manifest = await makeExport({
    diskPath,
    format: 'ova',
    folder: made,
    subject: {
      name: 'shop.example',
      vcpus: 1,
      memoryMib: 512,
      firmware: ['bios', 'uefi'],
      image: { ...image, sha256: 'a'.repeat(64) },
      frozenAt: '2026-03-04T05:06:07.000Z',
      frozenHow: 'off',
    },
  });
  whole = await readFile(join(made, manifest.file.name));
  const { accountId, projectId } = await newTenant(api.current, 'owner@example.com');
  const { name, sizeBytes, sha256 } = manifest.file;
  await api.current.dataSource.query(
    `INSERT INTO exports (id, account_id, project_id, image_id, source_name, format, state, file_name, size_bytes, sha256,
                          expires_at)
     VALUES ($1, $2, $3, 1, 'web', 'ova', 'available', $4, $5, $6, now() + interval '7 days')`,
    [EXPORT_ID, accountId, projectId, name, sizeBytes, sha256],
  );
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const store = () => api.current.get<ExportStore>(ExportStore);

function linkTo(exportId: number, validSeconds = 60): string {
  const { expires, signature } = api.current.get<DownloadLinks>(DownloadLinks).sign(exportId, validSeconds);
  return `/v1/exports/${exportId}/download?expires=${expires}&signature=${signature}`;
}

const get = (headers: Record<string, string> = {}, path = linkTo(EXPORT_ID)) =>
  api.current.request('GET', path, { headers });

describe('the link to an export', () => {
  it('gives the file to whoever has it, with what is needed to check it', async () => {
    const answer = await get();
    expect(answer.statusCode).toBe(200);
    expect(answer.rawPayload.equals(whole)).toBe(true);
    expect(answer.headers).toMatchObject({
      'accept-ranges': 'bytes',
      'cache-control': 'private, no-transform',
      'content-disposition': 'attachment; filename="shop.example.ova"',
      'content-length': String(whole.length),
      'content-type': 'application/octet-stream',
      etag: `"${manifest.file.sha256}"`,
      'x-checksum-sha256': createHash('sha256').update(whole).digest('hex'),
      'x-content-type-options': 'nosniff',
    });
  });

  it('tells all of that without the file', async () => {
    const answer = await api.current.request('HEAD', linkTo(EXPORT_ID));
    expect([answer.statusCode, answer.rawPayload.length]).toEqual([200, 0]);
    expect(answer.headers).toMatchObject({
      'content-length': String(whole.length),
      etag: `"${manifest.file.sha256}"`,
    });
    const known = await get({ 'if-none-match': `W/"x", "${manifest.file.sha256}"` });
    expect([known.statusCode, known.rawPayload.length]).toEqual([304, 0]);
  });

  const last = () => whole.length - 1;
  it.each([
    ['bytes=0-99', () => [0, 99]],
    ['bytes=1000-', () => [1000, last()]],
    ['bytes=-7', () => [last() - 6, last()]],
    ['bytes=5-999999999999', () => [5, last()]],
    ['bytes=-999999999999', () => [0, last()]],
  ])('gives the part %s', async (range, expected) => {
    const [first = 0, end = 0] = expected();
    const answer = await get({ range });
    expect([answer.statusCode, answer.headers['content-range']]).toEqual([
      206,
      `bytes ${first}-${end}/${whole.length}`,
    ]);
    expect(answer.rawPayload.equals(whole.subarray(first, end + 1))).toBe(true);
  });

  it.each(['bytes=0-1,5-6', 'bytes=9-3', 'bytes=-', 'bytes=a-b', 'lines=1-2'])(
    'gives all of it for the range %s, which is not one',
    async (range) => {
      const answer = await get({ range });
      expect([answer.statusCode, answer.rawPayload.length]).toEqual([200, whole.length]);
    },
  );

  it('says how long the file is where a range lies beyond it', async () => {
    for (const range of [`bytes=${whole.length}-`, 'bytes=-0']) {
      const answer = await get({ range });
      expect([answer.statusCode, answer.headers['content-range']]).toEqual([416, `bytes */${whole.length}`]);
    }
  });

  it('goes on only with the same file', async () => {
    const same = await get({ range: 'bytes=10-19', 'if-range': `"${manifest.file.sha256}"` });
    expect(same.statusCode).toBe(206);
    const other = await get({ range: 'bytes=10-19', 'if-range': `"${'0'.repeat(64)}"` });
    expect([other.statusCode, other.rawPayload.length]).toEqual([200, whole.length]);
  });

  it('is refused when any of it is changed, and when it has expired', async () => {
    const link = linkTo(EXPORT_ID);
    const later = link.replace(/expires=(\d+)/, (_all, seconds) => `expires=${Number(seconds) + 1}`);
    const elsewhere = link.replace(String(EXPORT_ID), String(EXPORT_ID + 1));
    const flipped = link.replace(/signature=(.)/, (_all, first) => `signature=${first === 'A' ? 'B' : 'A'}`);
    for (const path of [later, elsewhere, flipped]) {
      const answer = await get({}, path);
      expect([path, answer.statusCode, answer.json().error.code]).toEqual([path, 404, 'not_found']);
    }
    for (const path of [link.replace(/&.*/, ''), `/v1/exports/${EXPORT_ID}/download`, `${link}&x=1`]) {
      expect([path, (await get({}, path)).statusCode]).toEqual([path, 422]);
    }
    const expired = await get({}, linkTo(EXPORT_ID, -1));
    expect([expired.statusCode, expired.json().error.code]).toEqual([410, 'gone']);
  });

  it('gives the manifest as well', async () => {
    const answer = await get({}, linkTo(EXPORT_ID).replace('/download?', '/manifest?'));
    expect([answer.statusCode, answer.json()]).toEqual([200, manifest]);
  });

  it('finds nothing where there is no such export, or none any more', async () => {
    expect((await get({}, linkTo(EXPORT_ID + 1))).statusCode).toBe(404);
    const expiry = api.current.get<ExportExpiry>(ExportExpiry);
    const nobodys = [EXPORT_ID + 2, EXPORT_ID + 3];
    for (const name of [`${nobodys[0]}.part-1`, `${nobodys[1]}.disk.qcow2.half`, 'not-ours']) {
      await writeFile(join(folder, 'exports', name), '');
    }
    expect((await expiry.run()).toSorted()).toEqual(nobodys);
    expect((await get()).statusCode).toBe(200);
    await api.current.dataSource.query('UPDATE exports SET expires_at = now()');
    expect(await expiry.run()).toEqual([EXPORT_ID]);
    expect(await readdir(join(folder, 'exports'))).toEqual(['not-ours']);
    expect((await get()).statusCode).toBe(404);
    await store().remove(EXPORT_ID);
  });
});
