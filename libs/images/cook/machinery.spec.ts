import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withLock } from './cook-lock.ts';
import { clearAbandoned, putInPlace } from './image-folder.ts';
import { runTool } from './run-tool.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cook-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function image(name: string, content: string): Promise<string> {
  await mkdir(join(folder, name));
  await writeFile(join(folder, name, 'disk.qcow2'), content);
  return join(folder, name);
}
const disk = (name: string) => readFile(join(folder, name, 'disk.qcow2'), 'utf8');

describe('withLock', () => {
  it('lets one in at a time, and the next one in after a failure', async () => {
    const lock = join(folder, 'lock');
    const events: string[] = [];
    const enter = (name: string, fail: boolean) =>
      withLock(lock, {}, async () => {
        events.push(`${name} in`);
        await new Promise((resolve) => setTimeout(resolve, 20));
        events.push(`${name} out`);
        if (fail) throw new Error('burnt');
      });
    const results = await Promise.allSettled([enter('a', true), enter('b', false), enter('c', false)]);
    expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(1);
    expect(events).toHaveLength(6);
    for (let index = 0; index < 6; index += 2) {
      expect(events[index + 1]).toBe(events[index]?.replace('in', 'out'));
    }
  });

  it('tells those that wait that they do, and nobody else', async () => {
    const lock = join(folder, 'lock');
    const told: string[] = [];
    let second: Promise<string> | undefined;
    await withLock(lock, { onWait: () => told.push('first') }, async () => {
      await new Promise<void>((waits) => {
        const onWait = () => {
          told.push('second');
          waits();
        };
        second = withLock(lock, { onWait }, async () => 'in');
      });
    });
    expect(await second).toBe('in');
    expect(told).toEqual(['second']);
  });

  it('can be given up while it waits', async () => {
    const lock = join(folder, 'lock');
    const waiting = new AbortController();
    await withLock(lock, {}, async () => {
      const second = withLock(lock, { signal: waiting.signal }, async () => {});
      waiting.abort();
      await expect(second).rejects.toMatchObject({ code: 'cook_cancelled' });
    });
  });
});

describe('runTool', () => {
  it('returns what the tool wrote, in an environment without the traces of this one', async () => {
    const environment = await runTool(['env'], { timeoutSeconds: 10, env: { SOURCE_DATE_EPOCH: '1' } });
    expect(
      environment
        .split('\n')
        .map((line) => line.split('=')[0])
        .toSorted(),
    ).toEqual(['DEBIAN_FRONTEND', 'HOME', 'LC_ALL', 'PATH', 'PYTHONHASHSEED', 'SOURCE_DATE_EPOCH', 'TZ']);
  });

  it("fails with the tool's last words", async () => {
    const failure = runTool(['ls', '/nowhere'], { timeoutSeconds: 10 });
    await expect(failure).rejects.toMatchObject({
      code: 'cook_step_failed',
      message: expect.stringContaining('/nowhere'),
    });
  });

  it('says so when there is no such tool', async () => {
    await expect(runTool(['no-such-tool'])).rejects.toMatchObject({ code: 'cook_step_failed' });
  });

  it('says so when the tool takes too long, which is another thing than to fail or to be killed', async () => {
    const slow = runTool(['sleep', '60'], { timeoutSeconds: 1 });
    await expect(slow).rejects.toMatchObject({
      code: 'cook_tool_too_slow',
      message: expect.stringMatching(/^sleep had not ended after 1 s/),
    });
  });

  it('says by which signal the tool, or what it ran, was ended, and no number for it', async () => {
    for (const [script, said] of [
      ['kill -KILL $$', 'was killed (SIGKILL)'],
      ['kill -SEGV $$', 'crashed (SIGSEGV)'],
      ['kill -TERM $$', 'was ended by SIGTERM'],
      ["sh -c 'kill -KILL $$'; exit $?", 'ended with 137: what it ran was killed (SIGKILL)'],
      ['exit 9', 'ended with 9'],
    ] as const) {
      await expect(runTool(['sh', '-c', script])).rejects.toMatchObject({
        code: 'cook_step_failed',
        message: expect.stringContaining(` ${said}`),
      });
    }
  });

  it('ends the tool when it is cancelled', async () => {
    const cancel = new AbortController();
    const running = runTool(['sleep', '60'], { timeoutSeconds: 60, signal: cancel.signal });
    cancel.abort();
    await expect(running).rejects.toMatchObject({ code: 'cook_cancelled' });
  });
});

describe('the folder of images', () => {
  it('changes an image for a newer one', async () => {
    await image('web', 'old');
    await putInPlace(await image('.cooking-web-1', 'new'), join(folder, 'web'));
    expect(await disk('web')).toBe('new');
    expect(await readdir(folder)).toEqual(['web']);
  });

  it('loses what a killed cook left, and keeps the image that it had set aside', async () => {
    await image('.cooking-web-1', 'half');
    await image('.replaced-web', 'old');
    await clearAbandoned(folder);
    expect(await readdir(folder)).toEqual(['web']);
    expect(await disk('web')).toBe('old');
  });

  it('keeps the newer image when the kill came after it was put in place', async () => {
    await image('web', 'new');
    await image('.replaced-web', 'old');
    await clearAbandoned(folder);
    expect(await readdir(folder)).toEqual(['web']);
    expect(await disk('web')).toBe('new');
  });
});
