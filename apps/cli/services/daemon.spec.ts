import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Daemon, ensureDaemon, runningPid, stopDaemon } from './daemon.ts';
import { identify, isAlive } from './process-identity.ts';

const always = () => Promise.resolve(true);

describe('a daemon', () => {
  let folder = '';
  const sleeper = (more: Partial<Daemon> = {}): Daemon => ({
    folder,
    name: 'sleeper',
    command: process.execPath,
    args: ['-e', 'setInterval(() => {}, 1000)'],
    stopGraceSeconds: 5,
    ...more,
  });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'daemon-'));
  });
  afterEach(async () => {
    await stopDaemon(folder, 'sleeper');
    await rm(folder, { recursive: true, force: true });
  });

  it('is started once, left alone, and stopped', async () => {
    expect(await ensureDaemon(sleeper(), always)).toBe(true);
    const pid = await runningPid(folder, 'sleeper');
    expect(await ensureDaemon(sleeper(), always)).toBe(false);
    expect(await runningPid(folder, 'sleeper')).toBe(pid);
    expect(await stopDaemon(folder, 'sleeper')).toBe(true);
    expect(await runningPid(folder, 'sleeper')).toBeUndefined();
    expect(await identify(pid as number)).toBeUndefined();
  });

  it('is restarted when its settings or its build change, and not for another PATH', async () => {
    await ensureDaemon(sleeper({ environment: { A: '1', PATH: '/a' }, version: 'one' }), always);
    expect(await ensureDaemon(sleeper({ environment: { A: '1', PATH: '/b' }, version: 'one' }), always)).toBe(
      false,
    );
    expect(await ensureDaemon(sleeper({ environment: { A: '2' }, version: 'one' }), always)).toBe(true);
    expect(await ensureDaemon(sleeper({ environment: { A: '2' }, version: 'two' }), always)).toBe(true);
  });

  it('that ends at once names its log', async () => {
    const broken = sleeper({ args: ['-e', 'console.error("no port"); process.exit(3)'] });
    const failure = ensureDaemon(broken, () => Promise.resolve(false));
    await expect(failure).rejects.toMatchObject({
      code: 'daemon_failed',
      log: join(folder, 'log', 'sleeper.log'),
    });
    expect(await readFile(join(folder, 'log', 'sleeper.log'), 'utf8')).toContain('no port');
  });

  it('that is never ready is stopped again', async () => {
    await expect(ensureDaemon(sleeper(), () => Promise.resolve(false), 0.2)).rejects.toMatchObject({
      code: 'daemon_failed',
    });
    expect(await runningPid(folder, 'sleeper')).toBeUndefined();
  });

  it('whose pid now belongs to a stranger is not killed', async () => {
    const stranger = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    try {
      const identity = await identify(stranger.pid as number);
      await mkdir(join(folder, 'sleeper'), { recursive: true });
      const stale = {
        ...identity,
        startTicks: '1',
        fingerprint: '',
        stopSignal: 'SIGTERM',
        stopGraceSeconds: 1,
      };
      await writeFile(join(folder, 'sleeper', 'daemon.json'), JSON.stringify(stale));
      expect(await stopDaemon(folder, 'sleeper')).toBe(false);
      expect(identity && (await isAlive(identity))).toBe(true);
    } finally {
      stranger.kill('SIGKILL');
    }
  });

  it('whose starter was killed before it could write the pid down is found and stopped', async () => {
    await ensureDaemon(sleeper(), always);
    const pid = await runningPid(folder, 'sleeper');
    await rm(join(folder, 'sleeper', 'daemon.json'));
    expect(await stopDaemon(folder, 'sleeper')).toBe(true);
    expect(await identify(pid as number)).toBeUndefined();
  });

  it('keeps what it is told in files of its own folder', async () => {
    await ensureDaemon(sleeper(), always);
    expect(existsSync(join(folder, 'sleeper', 'daemon.json'))).toBe(true);
    await stopDaemon(folder, 'sleeper');
    expect(existsSync(join(folder, 'sleeper', 'daemon.json'))).toBe(false);
  });
});
