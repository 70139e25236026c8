import { describe, expect, it } from 'vitest';
import { assertBuilt } from './build-end.ts';
import { limitsFor } from './limits.ts';
import { STOPS, type WallEnd } from './wall/order.ts';

const facts = { limits: limitsFor({ minimum: { diskGib: 3 } }), lastLines: ['dpkg: error', 'exit status 1'] };
const ended = (end: Partial<WallEnd>) => () =>
  assertBuilt({ exitCode: 1, stoppedBy: null, diskWasFull: false, ...end }, facts);

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
});
