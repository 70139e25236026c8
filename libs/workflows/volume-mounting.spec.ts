import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mountingPrograms } from './volume-mounting.ts';

const run = promisify(execFile);
/** Containers may have no loop devices, or no right to mount. */
const canMount = existsSync('/dev/loop-control') && process.getuid?.() === 0;

/** This machine as a guest, with an /etc and mounts of its own, and a loop device for a volume. */
describe.runIf(canMount)('what a guest is asked to do with a volume', () => {
  let folder: string;
  let loop: string;
  let guest: ChildProcess;
  const inGuest = async (program: string) => {
    const args = ['--mount', `--target=${guest.pid}`, 'sh', '-c', program, 'sh', join(folder, 'device')];
    return (await run('nsenter', [...args, join(folder, 'at')])).stdout;
  };
  const fstab = () => readFile(join(folder, 'etc', 'fstab'), 'utf8');
  const isMounted = async () => (await inGuest('cat /proc/mounts')).includes(` ${join(folder, 'at')} `);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'servery-mounting-'));
    await mkdir(join(folder, 'etc'));
    await writeFile(join(folder, 'etc', 'fstab'), '# of the system\n');
    await run('truncate', ['--size=320M', join(folder, 'disk')]);
    loop = (await run('losetup', ['--find', '--show', join(folder, 'disk')])).stdout.trim();
    await symlink(loop, join(folder, 'device'));
    const script = `mount --bind '${folder}/etc' /etc && echo up && exec sleep 3600`;
    guest = spawn('unshare', ['--mount', 'sh', '-c', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise((resolve) => guest.stdout?.once('data', resolve));
  });

  afterAll(async () => {
    guest.kill('SIGKILL');
    await run('losetup', ['--detach', loop]);
    await rm(folder, { recursive: true });
  });

  it('leaves one without a file system alone', async () => {
    await inGuest(mountingPrograms.mount);
    expect([await isMounted(), await fstab()]).toEqual([false, '# of the system\n']);
  });

  it.each([
    ['ext4', 'mke2fs', ['-q', '-F', '-t', 'ext4']],
    ['xfs', 'mkfs.xfs', ['-q', '-f']],
  ])('is done once with %s, however often it is asked, and taken back whole', async (type, program, args) => {
    await run(program, [...args, loop]);
    for (const _twice of [1, 2]) await inGuest(mountingPrograms.mount);
    expect(await isMounted()).toBe(true);
    expect((await fstab()).split('\n')).toEqual([
      '# of the system',
      `${join(folder, 'device')} ${join(folder, 'at')} ${type} discard,nofail,defaults 0 0`,
      '',
    ]);
    await inGuest(`echo precious >"$2/kept"`);
    for (const _twice of [1, 2]) await inGuest(mountingPrograms.unmount);
    expect([await isMounted(), await fstab(), existsSync(join(folder, 'at'))]).toEqual([
      false,
      '# of the system\n',
      false,
    ]);
    await inGuest(mountingPrograms.mount);
    expect(await inGuest('cat "$2/kept"')).toBe('precious\n');
    await inGuest(mountingPrograms.unmount);
  });

  it('does not end badly where the volume is in use', async () => {
    await inGuest(mountingPrograms.mount);
    const busy = inGuest(`cd "$2" && exec sleep 3`);
    await inGuest(mountingPrograms.unmount);
    expect(await fstab()).toBe('# of the system\n');
    await busy;
  });
});
