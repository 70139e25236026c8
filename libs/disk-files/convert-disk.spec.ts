import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { BYTES_PER_MIB } from '#libs/kernel';
import { withSmallFolder } from '../../test/support/small-folder.ts';
import { convertDisk } from './convert-disk.ts';
import { ground } from './planted.fixture.ts';

describe('a conversion', () => {
  it('says that there is no room here, blames no disk for it, and leaves nothing (needs root)', async () => {
    await using at = await ground();
    const path = await at.plant('disk.raw', randomBytes(16 * BYTES_PER_MIB));
    const small = at.path('small');
    await withSmallFolder(small, async () => {
      const conversion = convertDisk({ path, format: 'raw', to: `${small}/disk.qcow2` });
      await expect(conversion).rejects.toMatchObject({ kind: 'unavailable', code: 'disk_no_space' });
      expect(await readdir(small)).toEqual([]);
    });
  });
});
