import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readReport, sum } from './outcome.ts';

describe('the totals of npm test', () => {
  let folder = '';
  const read = async (content: unknown, exitCode: number | null) => {
    const path = join(folder, 'report.json');
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
    return readReport('s', path, exitCode);
  };
  const file = (...statuses: string[]) => ({
    name: 'f.spec.ts',
    status: statuses.includes('failed') ? 'failed' : 'passed',
    assertionResults: statuses.map((status, index) => ({ fullName: `t${index}`, status })),
  });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'outcome-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('count what passed, failed and was skipped', async () => {
    const outcome = await read({ success: false, testResults: [file('passed', 'failed', 'pending')] }, 1);
    expect(outcome).toEqual({ passed: 1, failed: ['s: t1'], skipped: ['s: t2'] });
    expect(sum([outcome, outcome]).passed).toBe(2);
  });

  it('say why something failed, without colours and not at any length', async () => {
    const message = ['\u001b[31mError\u001b[39m: no', ...Array.from({ length: 90 }, (_, line) => `${line}`)];
    const test = { fullName: 't', status: 'failed', failureMessages: [message.join('\n')] };
    const outcome = await read(
      { success: false, testResults: [{ ...file('failed'), assertionResults: [test] }] },
      1,
    );
    expect(outcome.failed).toHaveLength(1);
    const lines = String(outcome.failed[0]).split('\n');
    expect(lines.slice(0, 3)).toEqual(['s: t', '    Error: no', '    0']);
    expect(lines.length).toBeLessThan(30);
  });

  it('count a file that could not be loaded as a failure', async () => {
    const broken = { ...file(), status: 'failed' };
    const outcome = await read({ success: false, testResults: [file('passed'), broken] }, 1);
    expect(outcome.failed).toEqual(['s: f.spec.ts could not run']);
  });

  it.each([
    ['no report', '', null],
    ['half a report', '{"success": tr', 1],
    ['no tests', { success: true, testResults: [] }, 0],
    ['errors outside the tests', { success: true, testResults: [file('passed')] }, 1],
  ])('count %s as a failure', async (_, content, exitCode) => {
    expect((await read(content, exitCode)).failed).toHaveLength(1);
  });
});
