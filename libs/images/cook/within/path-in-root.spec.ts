import { mkdir, mkdtemp, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pathInRoot } from './path-in-root.ts';

let folder: string;
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'root-')));
});
afterAll(() => rm(folder, { recursive: true }));

let count = 0;

/** A root with links by their paths; what they lead to need not be there. */
async function rootWith(links: Readonly<Record<string, string>>): Promise<string> {
  const root = join(folder, String(count++));
  for (const [path, target] of Object.entries(links)) {
    await mkdir(join(root, path, '..'), { recursive: true });
    await symlink(target, join(root, path));
  }
  return root;
}

describe('a path in a root', () => {
  it.each<[path: string, links: Readonly<Record<string, string>>, at: string]>([
    ['/etc/nginx/x', {}, '/etc/nginx/x'],
    ['/x', {}, '/x'],
    ['/usr/lib/ssl/certs/x', { '/usr/lib/ssl/certs': '/etc/ssl/certs' }, '/etc/ssl/certs/x'],
    ['/bin/x', { '/bin': 'usr/bin' }, '/usr/bin/x'],
    ['/srv/a/x', { '/srv/a': '../../../../etc' }, '/etc/x'],
    ['/a/b/x', { '/a': '/c/', '/c/b': 'd/../e' }, '/c/e/x'],
    ['/etc/x', { '/etc/x': '/usr/share/x' }, '/etc/x'],
  ])('%s with %o is at %s', async (path, links, at) => {
    const root = await rootWith(links);
    expect(await pathInRoot(root, path)).toBe(`${root}${at}`);
  });

  it('is refused where its folders lead round in circles', async () => {
    const root = await rootWith({ '/a': '/b', '/b': 'a' });
    await expect(pathInRoot(root, '/a/x')).rejects.toThrow('/a/x: too many links');
  });

  it('has no link on its way, and never leads outside, whatever links there are', async () => {
    const name = fc.constantFrom('a', 'b', 'c');
    const target = fc
      .tuple(fc.constantFrom('/', ''), fc.array(fc.constantFrom('a', 'b', 'c', '..', '.'), { minLength: 1 }))
      .map(([start, parts]) => start + parts.join('/'));
    const links = fc.dictionary(
      name.map((first) => `/${first}`),
      target,
    );
    const path = fc.array(name, { minLength: 2, maxLength: 5 }).map((names) => `/${names.join('/')}`);
    await fc.assert(
      fc.asyncProperty(links, path, async (wanted, of) => {
        const root = await rootWith(wanted);
        const at = await pathInRoot(root, of).catch((error: Error) => error.message);
        if (at.includes('too many links')) return;
        expect(at.startsWith(`${root}/`)).toBe(true);
        await mkdir(dirname(at), { recursive: true });
        expect(await realpath(dirname(at))).toBe(dirname(at));
      }),
      { numRuns: 50 },
    );
  });
});
