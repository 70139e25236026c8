import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { noteVerified, verifiedAt } from './verification.ts';

const at = new Date('2026-11-02T09:00:00Z');
const sha256 = 'a'.repeat(64);
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'image-'));
});
afterEach(() => rm(folder, { recursive: true }));

const note = () => noteVerified({ diskPath: join(folder, 'disk.qcow2'), sha256 }, at);

describe('the note that an image was verified', () => {
  it('holds for the bytes that were, and for no others', async () => {
    await note();
    expect(await verifiedAt(folder, sha256)).toEqual(at);
    expect(await verifiedAt(folder, 'b'.repeat(64))).toBeNull();
  });

  it.each(['', '{', 'null', '{"schema":1}', '{"schema":2,"sha256":"","verifiedAt":"yesterday"}'])(
    'says nothing where it is %j',
    async (text) => {
      await writeFile(join(folder, 'verified.json'), text);
      expect(await verifiedAt(folder, sha256)).toBeNull();
    },
  );

  it('says nothing where there is none', async () => {
    expect(await verifiedAt(folder, sha256)).toBeNull();
  });
});
