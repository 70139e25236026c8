import { describe, expect, it } from 'vitest';
import { assertBuilt } from './build-end.ts';
import { limitsFor } from './limits.ts';
import { STOPS, type WallEnd } from './wall/order.ts';

const facts = { limits: limitsFor({ minimum: { diskGib: 3 } }), lastLines: ['dpkg: error', 'exit status 1'] };
const ended = (end: Partial<WallEnd>) => () =>
  assertBuilt({ exitCode: 1, signal: null, stoppedBy: null, diskWasFull: false, ...end }, facts);

describe('assertBuilt', () => {
  it('lets pass what ended well, also where the disk was full for a while', () => {
    expect(ended({ exitCode: 0 })).not.toThrow();
    expect(ended({ exitCode: 0, diskWasFull: true })).not.toThrow();
  });

  it.each(STOPS)('names the limit %s and says what to do next', (stoppedBy) => {
    expect(ended({ exitCode: null, stoppedBy })).toThrow(
      expect.objectContaining({
        code: expect.stringMatching(
          /^cook_(out_of_(time|memory)|too_many_processes|output_too_long|no_space)$/,
        ),
        message: expect.stringMatching(/\. [A-Z][^.]+\.$|so the build was stopped\. .+\.$/),
      }),
    );
  });

  it('tells a full disk, and else the last words', () => {
    expect(ended({ diskWasFull: true })).toThrow(expect.objectContaining({ code: 'cook_disk_full' }));
    expect(ended({})).toThrow(
      expect.objectContaining({
        code: 'cook_step_failed',
        message: expect.stringContaining('exit status 1'),
      }),
    );
    expect(ended({ exitCode: null })).toThrow(expect.objectContaining({ code: 'cook_step_failed' }));
  });

  it('says by which signal it ended, where none of its limits did that', () => {
    expect(ended({ exitCode: 137, signal: 'SIGKILL' })).toThrow(
      expect.objectContaining({
        code: 'cook_step_failed',
        message: expect.stringMatching(/^The build was killed \(SIGKILL\),.*exit status 1$/s),
      }),
    );
    expect(ended({ exitCode: null, signal: 'SIGSEGV' })).toThrow(/^The build crashed \(SIGSEGV\)\. /);
    expect(ended({ exitCode: 137, signal: 'SIGKILL', stoppedBy: 'memory' })).toThrow(
      expect.objectContaining({ code: 'cook_out_of_memory' }),
    );
    expect(ended({ exitCode: 137, signal: 'SIGKILL', diskWasFull: true })).toThrow(/disk of \d+ GiB is full/);
  });
});
