import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isHypervisorError } from '../hypervisor.errors.ts';
import type { HostRef } from '../port/hosts.ts';
import { Virsh } from './virsh.ts';

/** libvirt's own pretended host, which lives in virsh itself: a domain `test`, a pool `default-pool`. */
const host: HostRef = {
  ...{ id: 1, name: 'kvm-1', uri: 'test:///default', domainType: 'qemu' },
  ...{ imagePool: 'default-pool', diskPool: 'default-pool', bridge: 'br0' },
};

/** That host has no connection to keep alive, and virsh refuses to be asked for it. */
const WITHOUT_KEEPALIVE = `#!/bin/sh
test "$2 $4" = '-k -K' || exit 99
shift 5
exec /usr/bin/virsh -q "$@"
`;

const pathBefore = process.env.PATH;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'servery-virsh-spec-'));
  writeFileSync(join(folder, 'virsh'), WITHOUT_KEEPALIVE);
  chmodSync(join(folder, 'virsh'), 0o755);
  process.env.PATH = `${folder}${delimiter}${pathBefore}`;
});
afterAll(() => {
  process.env.PATH = pathBefore;
  rmSync(folder, { recursive: true, force: true });
});

/** The virsh processes that this one has started and that still run. */
function children(): number[] {
  const ids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return ids.map(Number).filter((id) => {
    try {
      const [, name, , parent] =
        /^\d+ \((.*)\) (\S) (\d+)/.exec(readFileSync(`/proc/${id}/stat`, 'utf8')) ?? [];
      return name === 'virsh' && Number(parent) === process.pid;
    } catch {
      return false;
    }
  });
}

let virsh: Virsh;
beforeEach(() => {
  virsh = new Virsh();
});
afterEach(() => virsh[Symbol.dispose]());

describe('calls to a host', () => {
  it('share a session, and see in it what those before have done', async () => {
    const input = "<volume><name>a</name><capacity unit='KiB'>64</capacity></volume>";
    await virsh.run(host, ['vol-create', '--pool', 'default-pool', '--file', '/dev/stdin'], { input });
    expect(await virsh.run(host, ['vol-dumpxml', '--pool', 'default-pool', '--vol', 'a'])).toContain('65536');
    expect(children()).toHaveLength(1);
  });

  it('fail by themselves: the next one is answered', async () => {
    const missing = await virsh
      .run(host, ['domstate', '--domain', 'nobody'])
      .catch((error: unknown) => error);
    expect(isHypervisorError(missing, 'domain_missing')).toBe(true);
    expect((await virsh.run(host, ['domstate', '--domain', 'test'])).trim()).toBe('running');
    expect(children()).toHaveLength(1);
  });

  it('that come at once have a session each, up to the bound', async () => {
    using narrow = new Virsh({ atOncePerHost: 3 });
    const states = await Promise.all(
      Array.from({ length: 9 }, () => narrow.run(host, ['domstate', '--domain', 'test'])),
    );
    expect(states.map((state) => state.trim())).toEqual(Array.from({ length: 9 }, () => 'running'));
    expect(children()).toHaveLength(3);
  });

  it('answer each command of a script for itself', async () => {
    const { outputs, errors } = await virsh.script(host, [
      ['domstate', '--domain', 'test'],
      ['domstate', '--domain', 'a "quoted\\ name'],
      ['domuuid', '--domain', 'test'],
    ]);
    expect(outputs.map((output) => output.trim())).toEqual([
      'running',
      '',
      '6695eb01-f6a4-8304-79aa-97f2502e193f',
    ]);
    expect(errors).toContain("failed to get domain 'a \"quoted\\ name'");
  });

  it('are refused where a line cannot hold them: nothing of them becomes another command', async () => {
    const call = virsh.run(host, ['domstate', '--domain', 'test\ndestroy test']);
    await expect(call).rejects.toThrow('domstate cannot be given a control character.');
    expect((await virsh.run(host, ['domstate', '--domain', 'test'])).trim()).toBe('running');
  });

  it('that are called off end with their session, and tell how far they have read until then', async () => {
    const stop = new AbortController();
    const onRead = (bytes: number) => {
      expect(bytes).toBeGreaterThanOrEqual(0);
      stop.abort();
    };
    const call = virsh.run(host, ['event', '--all', '--loop'], { onRead, signal: stop.signal });
    await expect(call).rejects.toThrow('event on kvm-1');
    expect((await virsh.run(host, ['domstate', '--domain', 'test'])).trim()).toBe('running');
  });

  it('go to a new session where the last one was killed meanwhile', async () => {
    await virsh.run(host, ['domstate', '--domain', 'test']);
    const [killed = 0] = children();
    process.kill(killed, 'SIGKILL');
    while (children().length > 0) await pause(5);
    await pause(20);
    expect((await virsh.run(host, ['domstate', '--domain', 'test'])).trim()).toBe('running');
  });

  it('say that the host is not reached, by whatever command', async () => {
    const nowhere = { ...host, uri: 'qemu+tcp://127.0.0.1:9/system' };
    const error = await virsh
      .run(nowhere, ['domstate', '--domain', 'test'])
      .catch((thrown: unknown) => thrown);
    expect(isHypervisorError(error, 'host_unreachable')).toBe(true);
  });

  it('that are late are given up, and their session with them', async () => {
    const late = virsh.run(host, ['event', '--all', '--loop'], { timeoutSeconds: 0.3 });
    await expect(late).rejects.toThrow('Host kvm-1 gave no answer within 0.3 s.');
    expect((await virsh.run(host, ['domstate', '--domain', 'test'])).trim()).toBe('running');
  });
});

it('leaves no virsh when it is disposed of, and keeps no program from its end', async () => {
  await virsh.run(host, ['domstate', '--domain', 'test']);
  virsh[Symbol.dispose]();
  while (children().length > 0) await pause(5);
  const program = `
    const { Virsh } = await import(${JSON.stringify(new URL('./virsh.ts', import.meta.url).href)});
    console.log((await new Virsh().run(${JSON.stringify(host)}, ['domstate', '--domain', 'test'])).trim());`;
  const args = ['--conditions=source', '--input-type=module', '--eval', program];
  expect(execFileSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000 }).trim()).toBe('running');
});
