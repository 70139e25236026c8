import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nothing, readReport, slowest, sum } from './outcome.ts';

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
    startTime: 1000,
    endTime: 3500,
    assertionResults: statuses.map((status, index) => ({ fullName: `t${index}`, status })),
  });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'outcome-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('count what passed, failed and was skipped', async () => {
    const outcome = await read({ success: false, testResults: [file('passed', 'failed', 'pending')] }, 1);
    const took = [{ what: 's: f.spec.ts', seconds: 2.5 }];
    expect(outcome).toEqual({ passed: 1, failed: ['s: t1'], skipped: ['s: t2'], took });
    expect(sum([outcome, outcome])).toMatchObject({ passed: 2, took: [...took, ...took] });
  });

  it('say what took longest', () => {
    const took = [1, 3, 2].map((seconds) => ({ what: `${seconds}`, seconds }));
    expect(slowest({ ...nothing, took }, 2).map(({ what }) => what)).toEqual(['3', '2']);
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
    const broken = { ...file(), status: 'failed', message: 'Error: no such module' };
    const outcome = await read({ success: false, testResults: [file('passed'), broken] }, 1);
    expect(outcome.failed).toEqual(['s: f.spec.ts could not run\n    Error: no such module']);
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
