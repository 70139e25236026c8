import { execFile } from 'node:child_process';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { convertDisk } from '../convert-disk.ts';
import { lookWithin } from '../look-within.ts';
import { type Ground, ground } from '../planted.fixture.ts';
import { FIRST_BOOT_SCRIPT } from './first-boot.ts';

const run = promisify(execFile);
/** The comment has a character whose low byte is a line feed. */
const KEYS = ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPlanted me\u010a@example.com', 'ssh-rsa AAAAB3Nza you'];
const system = {
  'usr/lib/os-release': 'ID=debian\nVERSION_ID="12"\n',
  'root/.profile': 'x',
  'usr/sbin/sshd': 'x',
};
const systemd = { 'usr/lib/systemd/systemd': 'x', 'etc/systemd/system/a.service': 'x' };

type Planted = Readonly<Record<string, string | { readonly linkTo: string }>>;

/** A raw disk that is one file system, made by mke2fs of a folder. */
async function diskOf(at: Ground, files: Planted, ...options: string[]): Promise<string> {
  const root = at.path('root-of-it');
  await rm(root, { recursive: true, force: true });
  for (const [name, content] of Object.entries(files)) {
    const path = join(root, name);
    await mkdir(dirname(path), { recursive: true });
    await (typeof content === 'string' ? writeFile(path, content) : symlink(content.linkTo, path));
  }
  const path = at.path('disk.raw');
  await rm(path, { force: true });
  await run('mke2fs', ['-q', '-F', '-t', 'ext4', ...options, '-d', root, path, '32M']);
  return path;
}

/** The disk with keys in it, as the raw file that its file system is. */
async function adopted(at: Ground, path: string): Promise<string> {
  const to = at.path('adopted.qcow2');
  await rm(to, { force: true });
  await convertDisk({ path, format: 'raw', to, adoption: { sshPublicKeys: KEYS } });
  const raw = at.path('adopted.raw');
  await at.qemuImg('convert', '-f', 'qcow2', '-O', 'raw', to, raw);
  await run('e2fsck', ['-fn', raw]);
  return raw;
}

const debugfs = async (path: string, command: string) => (await run('debugfs', ['-R', command, path])).stdout;
const keysIn = (path: string) => debugfs(path, 'cat /root/.ssh/authorized_keys');

describe('keys that are put into a disk (needs root or user namespaces, and bubblewrap)', () => {
  it('are there for root alone, and a system without cloud-init reads its seed', async () => {
    await using at = await ground();
    const raw = await adopted(at, await diskOf(at, { ...system, ...systemd }));
    expect(await keysIn(raw)).toBe(`${KEYS.join('\n')}\n`);
    const listing = await debugfs(raw, 'ls -l /root/.ssh');
    expect(listing).toMatch(/100600 \(1\)\s+0\s+0\s+\d+ .* authorized_keys/);
    expect(listing).toMatch(/ 40700 \(2\)\s+0\s+0\s+\d+ .* \.\n/);
    expect(await debugfs(raw, 'cat /etc/servery/first-boot')).toBe(FIRST_BOOT_SCRIPT);
    await writeFile(at.path('script'), FIRST_BOOT_SCRIPT);
    await run('sh', ['-n', at.path('script')]);
    expect(FIRST_BOOT_SCRIPT).not.toContain('\\$');
    expect(await lookWithin(at.path('adopted.qcow2'))).toMatchObject({
      guest: { readsSeed: true, hasSshServer: true, hasCloudInit: false },
    });
    // Once more: what is there stays, and nothing is there twice.
    const again = await adopted(at, raw);
    expect(await keysIn(again)).toBe(`${KEYS.join('\n')}\n`);
  });

  it('stand behind those that are there, and cloud-init is left to do its work', async () => {
    await using at = await ground();
    const files = {
      ...system,
      ...systemd,
      'usr/bin/cloud-init': 'x',
      'root/.ssh/authorized_keys': 'no newline',
    };
    const raw = await adopted(at, await diskOf(at, files));
    expect(await keysIn(raw)).toBe(`no newline\n${KEYS.join('\n')}\n`);
    expect(await debugfs(raw, 'ls /etc')).not.toContain('servery');
  });

  it.each<[what: string, code: string, files: Planted, options?: string[]]>([
    ['no system', 'disk_system_unknown', { 'root/x': 'x' }],
    [
      'a link for root’s home',
      'disk_system_refused',
      { 'usr/lib/os-release': 'ID=a', root: { linkTo: '/etc' } },
    ],
    ['a link for .ssh', 'disk_system_refused', { ...system, 'root/.ssh': { linkTo: '/etc/cron.d' } }],
    [
      'a link for the keys',
      'disk_system_refused',
      { ...system, 'root/.ssh/authorized_keys': { linkTo: '../../etc/passwd' } },
    ],
    ['a file for .ssh', 'disk_system_refused', { ...system, 'root/.ssh': 'x' }],
    [
      'a link among units',
      'disk_system_refused',
      { ...system, ...systemd, 'etc/servery': { linkTo: '/usr' } },
    ],
    ['features that are not known', 'disk_system_unknown', system, ['-O', 'inline_data']],
  ])('are not put where there is %s', async (_what, code, files, options = []) => {
    await using at = await ground();
    const path = await diskOf(at, files, ...options);
    await expect(adopted(at, path)).rejects.toMatchObject({ code });
  });

  it('are not put into what was not shut down cleanly, or has no room, and nothing is made then', async () => {
    await using at = await ground();
    const unclean = await diskOf(at, system);
    await run('debugfs', ['-w', '-R', 'feature needs_recovery', unclean]);
    await expect(adopted(at, unclean)).rejects.toMatchObject({ code: 'disk_system_unclean' });
    // 32 inodes: 11 are the file system's own, and these take the rest.
    const rest = Object.fromEntries(Array.from({ length: 13 }, (_, index) => [`home/${index}`, 'x']));
    const full = await diskOf(at, { ...system, ...rest }, '-N', '32');
    await expect(adopted(at, full)).rejects.toMatchObject({ code: 'disk_conversion_failed' });
    await expect(at.qemuImg('info', 'adopted.qcow2')).rejects.toThrow();
  });
});
