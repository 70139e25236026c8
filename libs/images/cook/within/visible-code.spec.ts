import { spawnSync } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ownCode, ownProgram } from '#libs/confinement';
import { VISIBLE_CODE } from '../build.ts';

it('the program behind the wall finds all that it imports in the code that is visible there', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'visible-'));
  try {
    for (const { from, at } of ownCode(VISIBLE_CODE, folder)) await cp(from, at, { recursive: true });
    const argv = ownProgram('libs/images/cook/within/cook-within.main', folder);
    const { stdout, stderr } = spawnSync(process.execPath, argv, {
      input: '{',
      encoding: 'utf8',
      timeout: 60_000,
    });
    // It has come as far as its job, which is none.
    expect(stdout).toMatch(/JSON/);
    expect(stderr).toBe('');
  } finally {
    await rm(folder, { recursive: true });
  }
});
