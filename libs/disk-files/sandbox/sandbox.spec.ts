import { open, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { lentTo } from '../given-file.ts';
import { ground } from '../planted.fixture.ts';
import { type SandboxLimits, sandboxUser } from './bubblewrap.ts';
import { runSandboxed } from './run-sandboxed.ts';

const limits: SandboxLimits = { wallSeconds: 60, cpuSeconds: 20, memoryBytes: 1024 ** 3, fileBytes: 0 };
const user = sandboxUser();

/** Runs a script of Node in the sandbox, as an attacker who has taken it over would. */
const within = (script: string, more: { descriptors?: number[]; limits?: Partial<SandboxLimits> } = {}) =>
  runSandboxed({
    program: 'node',
    args: ['-e', script],
    files: [],
    user,
    descriptors: more.descriptors ?? [],
    limits: { ...limits, ...more.limits },
  });

describe('the sandbox (needs root or user namespaces, and bubblewrap)', () => {
  it('has a file system in which nothing of the machine stands but the program and its libraries', async () => {
    await using at = await ground();
    const { stdout } = await within(
      `
      const fs = require('node:fs');
      const seen = [];
      const walk = (path) => { for (const entry of fs.readdirSync(path, { withFileTypes: true })) {
        const next = path + '/' + entry.name;
        if (next === '/proc') continue;
        entry.isDirectory() ? walk(next) : seen.push(next);
      } };
      walk('');
      const tried = ['/etc/passwd', ${JSON.stringify(at.secretPath)}].map((path) => fs.existsSync(path));
      console.log(JSON.stringify({ seen, tried, user: process.getuid(), pids: fs.readdirSync('/proc').filter(Number).length }));
    `
        .replace("walk('')", "walk('/'.slice(0, 0) || '/')")
        .replaceAll("path + '/'", "(path === '/' ? '' : path) + '/'"),
    );
    const { seen, tried, user: uid, pids } = JSON.parse(stdout);
    expect(
      seen.filter((path: string) => !/^\/(usr\/bin\/(node|setpriv)|dev\/null|lib.*\.so[.\d]*)$/.test(path)),
    ).toEqual([]);
    expect(tried).toEqual([false, false]);
    expect(uid).not.toBe(0);
    expect(pids).toBeLessThanOrEqual(2);
  });

  it('has no capability, no network and nothing to write on', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    const { stdout } = await within(`
      const fs = require('node:fs'), net = require('node:net'), os = require('node:os');
      const capabilities = fs.readFileSync('/proc/self/status', 'utf8').match(/^Cap\\w+:\\t(?!0+$).*/gm);
      const attempts = ['/x', '/dev/x', '/usr/bin/x', '/proc/x'].filter((path) => { try { fs.writeFileSync(path, ''); return true; } catch { return false; } });
      net.connect(${port}, '127.0.0.1').on('error', (error) => console.log(JSON.stringify({ capabilities, attempts, error: error.code, cards: Object.keys(os.networkInterfaces()), env: Object.keys(process.env) })))
        .on('connect', () => console.log('"connected"'));
    `);
    server.close();
    const { error, ...rest } = JSON.parse(stdout);
    expect(error).toMatch(/^E(NETUNREACH|CONNREFUSED)$/);
    expect(rest).toMatchObject({ capabilities: null, attempts: [], cards: ['lo'] });
    expect(rest.env.toSorted()).toEqual(['LC_ALL', 'MALLOC_ARENA_MAX', 'PWD']);
  });

  it('inherits the descriptors that it is given, read-only where they are, and no other', async () => {
    await using at = await ground();
    await using given = await open(await at.plant('given', 'given'));
    await using other = await open(at.secretPath);
    const { stdout } = await within(
      `const fs = require('node:fs');
       const links = fs.readdirSync('/proc/self/fd').flatMap((fd) => { try { return [fs.readlinkSync('/proc/self/fd/' + fd)]; } catch { return []; } });
       let wrote = true; try { fs.writeSync(3, 'x'); } catch { wrote = false; }
       console.log(JSON.stringify({ links, read: fs.readFileSync(3, 'utf8'), wrote }));`,
      { descriptors: [given.fd] },
    );
    expect(other.fd).toBeGreaterThan(2);
    const { links, read, wrote } = JSON.parse(stdout);
    const files = links.filter((link: string) => link.startsWith('/') && link !== '/dev/null');
    expect(files).toEqual([at.path('given')]);
    expect({ read, wrote }).toEqual({ read: 'given', wrote: false });
  });

  it.each([
    ['memory', 'const all = []; for (;;) all.push(Buffer.alloc(50_000_000, 1));', {}],
    ['CPU time', 'for (;;);', { cpuSeconds: 1 }],
  ])('ends what takes too much %s', async (_what, script, less) => {
    const { exitCode } = await within(script, { limits: less });
    expect(exitCode).not.toBe(0);
  });

  it('starts no more processes than a disk needs', async () => {
    const { stdout } = await within(`
      const { spawn } = require('node:child_process');
      let answered = 0;
      for (let i = 0; i < 16; i++) {
        const child = spawn('/usr/bin/node', ['-e', 'console.log(1); setTimeout(() => {}, 2000)']);
        child.stdout.once('data', () => answered++);
        child.on('error', () => {});
      }
      setTimeout(() => { console.log(answered); process.exit(); }, 8000);
    `);
    expect(Number(stdout || 0)).toBeLessThan(16);
  });

  it('lets qemu-img have as many threads as its pool may come to', async () => {
    await using at = await ground();
    await using disk = await open(await at.plant('disk', Buffer.alloc(1024 ** 2)));
    const { stderr, exitCode } = await lentTo(disk, user, () =>
      runSandboxed({
        program: 'qemu-img',
        args: ['bench', '-q', '-f', 'raw', '-d', '256', '-c', '8192', '/proc/self/fd/3'],
        files: [],
        user,
        descriptors: [disk.fd],
        limits,
      }),
    );
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
  });

  it('ends what takes too long, with all that it started', async () => {
    await expect(within('setInterval(() => {}, 1000)', { limits: { wallSeconds: 1 } })).rejects.toMatchObject(
      {
        code: 'disk_exceeds_limits',
      },
    );
  });

  it('lets no output grow beyond its limit', async () => {
    await using at = await ground();
    await using output = await open(at.path('output'), 'w+');
    const script = `const fs = require('node:fs'); for (let i = 0; i < 64; i++) fs.writeSync(3, Buffer.alloc(65536));`;
    const { exitCode } = await within(script, { descriptors: [output.fd], limits: { fileBytes: 1024 ** 2 } });
    expect(exitCode).not.toBe(0);
    expect((await output.stat()).size).toBe(1024 ** 2);
  });

  it('gives a file back as it was, whatever came of it', async () => {
    await using at = await ground();
    await using given = await open(await at.plant('given', 'given'));
    const before = await stat(at.path('given'));
    await expect(lentTo(given, user, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    const after = await stat(at.path('given'));
    expect([after.uid, after.gid, after.mode]).toEqual([before.uid, before.gid, before.mode]);
  });
});
