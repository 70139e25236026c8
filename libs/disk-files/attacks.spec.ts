import { link, open, readFile, symlink, truncate, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { convertDisk } from './convert-disk.ts';
import { lentTo } from './given-file.ts';
import { inspectDisk } from './inspect-disk.ts';
import { changed, type Ground, ground, realDisks } from './planted.fixture.ts';
import { sandboxUser } from './sandbox/bubblewrap.ts';
import { runSandboxed } from './sandbox/run-sandboxed.ts';

/** qemu-img on a planted disk in the sandbox, as if our parser had seen nothing in it. */
async function withoutParser(
  at: Ground,
  path: string,
  image: string,
): Promise<{ text: string; output: Buffer }> {
  const user = sandboxUser();
  await using input = await open(path);
  await using output = await open(at.path('out'), 'w+');
  const end = await lentTo(input, user, () =>
    lentTo(output, user, () =>
      runSandboxed({
        program: 'qemu-img',
        args: ['convert', '-O', 'raw', image, '/proc/self/fd/4'],
        files: [],
        user,
        descriptors: [input.fd, output.fd],
        limits: { wallSeconds: 60, cpuSeconds: 20, memoryBytes: 1024 ** 3, fileBytes: 64 * 1024 ** 2 },
      }),
    ),
  );
  return { text: end.stderr, output: await readFile(at.path('out')) };
}

describe('a planted disk (needs root or user namespaces, and bubblewrap)', () => {
  it.each([
    ['a file of the host', (at: Ground) => at.secretPath],
    ['nbd:', () => 'nbd:127.0.0.1:10809'],
    ['ssh:', () => 'ssh://root@127.0.0.1/etc/shadow'],
    ['json:', (at: Ground) => `json:{"driver":"raw","file":{"driver":"file","filename":"${at.secretPath}"}}`],
  ])('with a backing file, %s, is refused (CVE-2014-0162)', async (_what, name) => {
    await using at = await ground();
    const path = at.path('disk.qcow2');
    await at.qemuImg('create', '-f', 'qcow2', path, '1M');
    const backing = name(at);
    const bytes = await changed(path, (disk) => {
      disk.writeBigUInt64BE(512n, 8);
      disk.writeUInt32BE(backing.length, 16);
      disk.write(backing, 512);
      return disk;
    });
    await at.plant('disk.qcow2', bytes);
    await expect(inspectDisk(path, 'qcow2')).rejects.toMatchObject({ code: 'disk_refers_elsewhere' });
    await expect(convertDisk({ path, format: 'qcow2', to: at.path('to') })).rejects.toMatchObject({
      code: 'disk_refers_elsewhere',
    });
    const { text, output } = await withoutParser(
      at,
      path,
      'json:{"driver":"qcow2","file":{"driver":"file","filename":"/proc/self/fd/3"}}',
    );
    expect(text).toMatch(
      /Could not open|Unknown protocol|Failed to connect|Unknown driver|Network is unreachable/,
    );
    expect(output.includes(at.secret)).toBe(false);
  });

  it('with an external data file is refused, and without the parser reads nothing (CVE-2024-32498)', async () => {
    await using at = await ground();
    const path = at.path('disk.qcow2');
    await at.qemuImg(
      'create',
      '-f',
      'qcow2',
      '-o',
      `data_file=${at.path('data')},data_file_raw=on`,
      path,
      '64K',
    );
    const bytes = await changed(path, (disk) => {
      const name = disk.indexOf(at.path('data'));
      disk.fill(0, name, name + at.path('data').length);
      disk.write(at.secretPath, name);
      disk.writeUInt32BE(at.secretPath.length, name - 4);
      return disk;
    });
    await at.plant('disk.qcow2', bytes);
    expect(await at.qemuImg('info', '-f', 'qcow2', path)).toContain(at.secretPath);
    await expect(inspectDisk(path, 'qcow2')).rejects.toMatchObject({ code: 'disk_refers_elsewhere' });
    const { text, output } = await withoutParser(
      at,
      path,
      'json:{"driver":"qcow2","file":{"driver":"file","filename":"/proc/self/fd/3"}}',
    );
    expect(text).toContain('Could not open');
    expect(output.includes(at.secret)).toBe(false);
    // The name is dropped from the extension, the feature stays.
    await at.plant('disk.qcow2', await changed(path, (disk) => void disk.writeUInt32BE(0, 112)));
    await expect(inspectDisk(path, 'qcow2')).rejects.toMatchObject({ code: 'disk_refers_elsewhere' });
  });

  it('with another format’s header in what was given as raw is refused (CVE-2026-24708)', async () => {
    await using at = await ground();
    const disks = await realDisks(at);
    for (const [name, path] of Object.entries(disks).filter(([name]) => name !== 'raw')) {
      await expect(inspectDisk(path, 'raw'), name).rejects.toMatchObject({ code: 'disk_format_mismatch' });
    }
    for (const format of ['qcow2', 'vmdk', 'vdi', 'vhd', 'vhdx', 'ova'] as const) {
      await expect(inspectDisk(disks.raw, format), format).rejects.toMatchObject({
        code: 'disk_format_mismatch',
      });
    }
  });

  it('that is a link, a second name of a file, a folder or a device is refused', async () => {
    await using at = await ground();
    await symlink(at.secretPath, at.path('link'));
    await link(await at.plant('one', 'x'), at.path('two'));
    for (const path of [at.path('link'), at.path('two'), at.folder, '/dev/zero', at.path('missing')]) {
      await expect(inspectDisk(path, 'raw'), path).rejects.toMatchObject({ code: 'disk_path_unsafe' });
    }
  });

  it('that is a sparse bomb is refused by its size', async () => {
    await using at = await ground();
    const path = await at.plant('bomb', '');
    await truncate(path, 4 * 1024 ** 4);
    await expect(inspectDisk(path, 'raw')).rejects.toMatchObject({ code: 'disk_too_large' });
  });

  it.each([
    ['gzip', [0x1f, 0x8b, 8, 0]],
    ['zip', [0x50, 0x4b, 3, 4]],
    ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ])('that is packed with %s is refused, whatever it was given as', async (_name, head) => {
    await using at = await ground();
    const path = await at.plant('packed', Buffer.concat([Buffer.from(head), Buffer.alloc(1020)]));
    for (const format of ['raw', 'qcow2', 'ova'] as const) {
      await expect(inspectDisk(path, format)).rejects.toMatchObject({ code: 'disk_is_packed' });
    }
  });

  it('whose conversion is cancelled leaves nothing', async () => {
    await using at = await ground();
    const path = await at.plant('disk', Buffer.alloc(64 * 1024 ** 2, 'servery'));
    const cancelled = new AbortController();
    const conversion = convertDisk({
      path,
      format: 'raw',
      to: at.path('to'),
      signal: cancelled.signal,
      onProgress: () => cancelled.abort(),
    });
    await expect(conversion).rejects.toMatchObject({ code: 'disk_work_cancelled' });
    await expect(open(at.path('to'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('does not write over what is there', async () => {
    await using at = await ground();
    const path = await at.plant('disk', Buffer.alloc(1024 ** 2, 'servery'));
    await writeFile(at.path('to'), 'mine');
    await expect(convertDisk({ path, format: 'raw', to: at.path('to') })).rejects.toMatchObject({
      code: 'disk_output_exists',
    });
    expect(await readFile(at.path('to'), 'utf8')).toBe('mine');
  });
});
