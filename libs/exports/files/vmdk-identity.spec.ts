import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { setContentId } from './vmdk-identity.ts';

const run = promisify(execFile);
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'servery-vmdk-'));
});

afterAll(() => rm(folder, { recursive: true }));

/** A VMDK whose content id is this one; qemu-img draws one by chance and leaves its leading zeros out. */
async function vmdkWith(contentId: string): Promise<string> {
  const path = join(folder, 'disk.vmdk');
  await run('qemu-img', ['create', '-q', '-f', 'vmdk', '-o', 'subformat=streamOptimized', path, '1M']);
  const text = (await readFile(path)).toString('latin1');
  const [drawn = ''] = /^CID=[0-9a-f]+$/m.exec(text) ?? [];
  const renamed = `CID=${contentId}`;
  const rest = text.slice(text.indexOf(drawn) + drawn.length);
  const padding = rest.indexOf('\0');
  const moved = rest.slice(0, padding) + '\0'.repeat(drawn.length - renamed.length) + rest.slice(padding);
  const changed = text.slice(0, text.indexOf(drawn)) + renamed + moved;
  await writeFile(path, changed.slice(0, text.length), 'latin1');
  return path;
}

it('gives a VMDK the same id, whatever id it was drawn', async () => {
  const bytes: string[] = [];
  for (const drawn of ['7', 'abcdef']) {
    const path = await vmdkWith(drawn);
    await setContentId(path, 'a disk');
    const content = (await readFile(path)).toString('latin1');
    const [, id = ''] = /^CID=([0-9a-f]{8})$/m.exec(content) ?? [];
    const { stdout } = await run('qemu-img', ['info', '--output=json', '-f', 'vmdk', path]);
    expect(JSON.parse(stdout)['format-specific'].data.cid).toBe(Number.parseInt(id, 16));
    bytes.push(content);
  }
  expect(bytes[0] === bytes[1]).toBe(true);
});
