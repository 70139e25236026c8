import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCommand } from './run-command.ts';
import { node } from './suites.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'run-command-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const script = (text: string) => node('a script', '-e', text);

it('what runs beside others gives way to them, and what it says is kept', async () => {
  const logFile = join(folder, 'log');
  const said = "setTimeout(() => console.log('niceness', require('node:os').getPriority()), 200)";
  expect(await runCommand(script(said), { environment: {}, minutes: 1, logFile })).toBe(0);
  expect(await readFile(logFile, 'utf8')).toBe('niceness 5\n');
});

it('what has no end in its time is killed with all that it started', async () => {
  const logFile = join(folder, 'log');
  const endless = `
    const child = require('node:child_process').spawn('sleep', ['1000']);
    console.log(child.pid);
    setInterval(() => {}, 1000);`;
  expect(await runCommand(script(endless), { environment: {}, minutes: 1 / 30, logFile })).toBeNull();
  const pid = Number(await readFile(logFile, 'utf8'));
  await expect.poll(() => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ' Z ')).toMatch(/ Z /);
});
