import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BYTES_PER_GIB, BYTES_PER_MIB } from '#libs/kernel';
import { withSmallFolder } from '../../../test/support/small-folder.ts';
import { convertBuilt } from './convert-built.ts';

let folder = '';
let path = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'servery-built-'));
  path = join(folder, 'disk.raw');
  await writeFile(path, randomBytes(16 * BYTES_PER_MIB));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const convert = (to: string) => convertBuilt({ path, to, diskGib: 1, onPercent: () => {} });

describe('a built disk', () => {
  it('that has no room to be written is no fault of the build (needs root)', async () => {
    const small = join(folder, 'small');
    await withSmallFolder(small, () =>
      expect(convert(join(small, 'disk.qcow2'))).rejects.toMatchObject({ code: 'cook_no_space' }),
    );
  });

  it('that cannot be written says what the conversion said', async () => {
    await truncate(path, 2 * BYTES_PER_GIB);
    await expect(convert(join(folder, 'disk.qcow2'))).rejects.toMatchObject({
      code: 'cook_step_failed',
      message: expect.stringMatching(
        /^The built disk could not be written as disk\.qcow2 \(disk_too_large\): ./,
      ),
    });
  });
});
