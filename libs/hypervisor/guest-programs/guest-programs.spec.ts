import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId, sleep } from '#libs/kernel';
import type { AgentExecOptions, AgentExecResult } from '../port/guest-agent.ts';
import type { HostRef } from '../port/hosts.ts';
import type { Guest } from './guest-program.ts';
import {
  cancelScript,
  clearScript,
  readScript,
  type ScriptState,
  sendScript,
  startScript,
} from './guest-script.ts';
import { parseSurvey, surveyGuest } from './guest-survey.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'servery-runs-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** This machine as a guest: the programs are run by its own shell. Only their folder is another one. */
function agentExec(
  _host: HostRef,
  _uuid: string,
  argv: readonly [string, ...string[]],
  { input }: AgentExecOptions,
): Promise<AgentExecResult> {
  const [program, ...args] = argv.map((arg) =>
    arg.replaceAll('/run/servery/runs', folder).replaceAll('/run/systemd/system', '/nonexistent'),
  );
  return new Promise((resolve, reject) => {
    const child = spawn(program ?? '', args);
    const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on('data', (chunk) => stdout.push(chunk));
    child.stderr.on('data', (chunk) => stderr.push(chunk));
    child.once('error', reject);
    child.once('close', (code) =>
      resolve({
        exitCode: code ?? 1,
        stdout: Buffer.concat(stdout).toString(),
        stderr: Buffer.concat(stderr).toString(),
      }),
    );
    // Most programs end without having read it.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}
const guest: Guest = {
  hypervisor: { agentExec },
  host: { name: 'here' } as HostRef,
  uuid: '00000000-0000-4000-8000-000000000000',
};

interface Ended {
  readonly output: string;
  readonly last: Extract<ScriptState, { state: 'ended' }>;
}

async function start(script: string, { timeoutSeconds = 30, keptBytes = 1_048_576 } = {}) {
  const runId = newId();
  const bootId = await sendScript(guest, runId, script);
  const run = { runId, bootId, timeoutSeconds, keptBytes, stage: 'rehearsal' as const };
  expect(await startScript(guest, run)).toBe(true);
  return run;
}

async function follow(runId: number, mostBytes = 4096): Promise<Ended> {
  const slices: Buffer[] = [];
  for (let after = 0; ; ) {
    const now = await readScript(guest, { runId, after, mostBytes });
    if (now.state === 'lost') throw new Error('lost');
    slices.push(now.bytes);
    after += now.bytes.length;
    if (now.state === 'ended' && now.isAll) return { output: Buffer.concat(slices).toString(), last: now };
    await sleep(50);
  }
}

describe('a script in a guest', () => {
  it('runs once however often it is started, by its own interpreter, and says how it ended', async () => {
    const counter = join(folder, 'counter');
    const run = await start(`#!/usr/bin/perl -w\nopen F, '>>', '${counter}'; print F 'x';
      print "$ENV{SERVERY_STAGE} – %h \${HOME}\\n"; warn 'oops'; exit 3;`);
    expect(await startScript(guest, run)).toBe(true);
    await sendScript(guest, run.runId, 'echo another');
    expect(await startScript(guest, run)).toBe(true);
    const { output, last } = await follow(run.runId, 40);
    expect(output).toMatch(/oops at .*\n/);
    expect(output).toContain('rehearsal – %h ');
    expect(last).toMatchObject({ exitCode: 3, cutBytes: 0, isAll: true });
    expect((await agentExec(guest.host, '', ['/bin/cat', counter], { timeoutSeconds: 1 })).stdout).toBe('x');
    await clearScript(guest, run.runId);
    expect(await readScript(guest, { runId: run.runId, after: 0, mostBytes: 1 })).toEqual({ state: 'lost' });
    expect(await startScript(guest, run)).toBe(false);
  });

  it('is read while it runs, and is not waited for by what it leaves running', async () => {
    const { runId } = await start('echo first; sleep 3; echo second; sleep 60 & exit 0');
    const seen = () => readScript(guest, { runId, after: 0, mostBytes: 100 });
    await expect.poll(seen, { interval: 50 }).toEqual({ state: 'running', bytes: Buffer.from('first\n') });
    expect((await follow(runId)).output).toBe('first\nsecond\n');
  }, 30_000);

  it('is cut where it prints without end, and ended where it takes too long', async () => {
    const noisy = await start('head -c 300000 /dev/zero; echo', { keptBytes: 32_768 });
    const { output, last } = await follow(noisy.runId, 65_536);
    expect(output.length).toBeGreaterThan(16_384);
    expect(output.length).toBeLessThanOrEqual(32_768);
    expect(output.length + last.cutBytes).toBe(300_001);
    const slow = await start('echo begun; sleep 60', { timeoutSeconds: 1 });
    expect((await follow(slow.runId)).last).toMatchObject({ exitCode: 124 });
  }, 30_000);

  it('is not started once it is cancelled, and nobody cancels what has begun', async () => {
    const runId = newId();
    const run = { runId, timeoutSeconds: 1, keptBytes: 20_000, stage: 'production' as const };
    const bootId = await sendScript(guest, runId, `touch ${folder}/harm`);
    expect(await cancelScript(guest, runId)).toBe(true);
    expect(await startScript(guest, { ...run, bootId })).toBe(true);
    await sleep(300);
    const harm = await agentExec(guest.host, '', ['/bin/ls', `${folder}/harm`], { timeoutSeconds: 1 });
    expect(harm.exitCode).not.toBe(0);
    expect(await cancelScript(guest, (await start('true')).runId)).toBe(false);
    expect(await cancelScript(guest, newId())).toBe(false);
  });

  it('is not started after a reboot', async () => {
    const runId = newId();
    await sendScript(guest, runId, 'true');
    const run = { runId, timeoutSeconds: 1, keptBytes: 1, stage: 'production' as const };
    expect(await startScript(guest, { ...run, bootId: '00000000-0000-4000-8000-000000000000' })).toBe(false);
  });
});

describe('the survey of a guest', () => {
  it('knows this machine', async () => {
    const survey = await surveyGuest(guest);
    expect(survey.packages.dpkg).toMatch(/^\d/);
    expect(Object.keys(survey.packages).length).toBeGreaterThan(100);
    expect(survey).toMatchObject({ kernel: expect.any(String), bootId: expect.any(String), leftOut: 0 });
  });

  it('reads what a system prints', () => {
    const survey = parseSurvey(`
@@kernel
6.1.0-38-cloud-amd64
@@boot
0b1c8a4e-6a0f-4d0b-9d55-0a8a6f0c6f11
FinishTimestampMonotonic=4711600
@@packages
ii \tlibc6:amd64\t2.36-9+deb12u13
iU \tweb\t1:2.0~rc1-1
rc \tgone\t1.0
ii \tkernel\t6.1
ii \tkernel\t6.2
@@services
web.service loaded failed failed The web
ssh.service loaded active running OpenBSD Secure Shell server
none.service not-found inactive dead none.service
timer.service loaded inactive dead Now and then
@@failed
web.service loaded failed failed The web
@@sockets
tcp 00000000:0016
tcp6 00000000000000000000000001000000:0050
udp 0100007F:0043
udp 00000000:C000
@@disks
Filesystem 1024-blocks Used Available Capacity Mounted on
/dev/vda1 4053744 1234567 2593768 33% /
tmpfs 100 1 99 1% /run
@@kernel
another
`);
    expect(survey).toEqual({
      kernel: '6.1.0-38-cloud-amd64',
      bootId: '0b1c8a4e-6a0f-4d0b-9d55-0a8a6f0c6f11',
      bootMilliseconds: 4712,
      packages: { 'libc6:amd64': '2.36-9+deb12u13', web: '1:2.0~rc1-1', kernel: '6.1, 6.2' },
      services: { 'web.service': 'failed/failed', 'ssh.service': 'active/running' },
      failedUnits: ['web.service'],
      listening: ['tcp 0.0.0.0:22', 'tcp [::1]:80', 'udp 127.0.0.1:67'],
      disks: [{ mountPoint: '/', sizeKib: 4_053_744, usedKib: 1_234_567 }],
      leftOut: 0,
    });
  });

  const heads = ['kernel', 'boot', 'packages', 'services', 'failed', 'sockets', 'disks'];
  const anyLine = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc
      .tuple(fc.constantFrom('ii', 'rc', 'tcp', 'x.service', '/dev/a', '__proto__'), fc.string())
      .map((parts) => parts.join('\t')),
    fc.constantFrom(
      'ii\t__proto__\t1',
      'ii\tconstructor\t1',
      '__proto__.service loaded active running',
      '<b>.service a b c',
    ),
  );
  const anySurvey = fc
    .array(fc.tuple(fc.constantFrom(...heads), fc.array(anyLine, { maxLength: 30 })))
    .map((parts) => parts.map(([head, lines]) => `\n@@${head}\n${lines.join('\n')}`).join(''));

  it('takes nothing from a guest but bounded plain names and numbers', () => {
    const plain = /^[\x21-\x7e][\x20-\x7e]{0,255}$/;
    fc.assert(
      fc.property(fc.oneof(anySurvey, fc.string({ unit: 'binary' })), (printed) => {
        const survey = parseSurvey(printed);
        const words = [
          ...Object.entries(survey.packages).flat(),
          ...Object.entries(survey.services).flat(),
          ...survey.failedUnits,
          ...survey.listening,
          ...survey.disks.map(({ mountPoint }) => mountPoint),
          survey.kernel ?? 'none',
          survey.bootId ?? 'none',
        ];
        for (const word of words) expect(word).toMatch(plain);
        for (const disk of survey.disks) expect(Number.isSafeInteger(disk.sizeKib + disk.usedKib)).toBe(true);
        expect(JSON.parse(JSON.stringify(survey))).toEqual(survey);
        expect(Object.getPrototypeOf(survey.packages)).toBe(Object.prototype);
      }),
    );
  });

  it('leaves out what is too much', () => {
    const lines = Array.from({ length: 10_050 }, (_, index) => `ii\tp${index}\t1`);
    const survey = parseSurvey(`\n@@packages\n${lines.join('\n')}`);
    expect([Object.keys(survey.packages).length, survey.leftOut]).toEqual([10_000, 50]);
  });
});
