import { constants } from 'node:os';
import { describe, expect, it } from 'vitest';
import { sayEnd, signalName, signalOfExitCode } from './process-end.ts';

describe('the end of a process', () => {
  it.each([
    [3, null, 'ended with 3'],
    [128, null, 'ended with 128'],
    [137, null, 'ended with 137: what it ran was killed (SIGKILL)'],
    [255, null, 'ended with 255'],
    [null, 'SIGKILL', 'was killed (SIGKILL)'],
    [null, 'SIGSEGV', 'crashed (SIGSEGV)'],
    [null, 'SIGXFSZ', 'wrote more into one file than it may (SIGXFSZ)'],
    [null, 'SIGTERM', 'was ended by SIGTERM'],
    [null, null, 'ended with no exit code'],
  ])('%j, %j: %s', (exitCode, signal, said) => {
    expect(sayEnd({ exitCode, signal })).toBe(said);
  });

  it('knows signals by the numbers of this machine', () => {
    const here = Object.entries(constants.signals);
    for (const [name, number] of here) {
      const known = signalName(number);
      // Some have two names.
      expect(here.filter(([, other]) => other === number).map(([other]) => other)).toContain(known);
      expect(signalOfExitCode(128 + number)).toBe(known);
      expect(name).toMatch(/^SIG/);
    }
    for (const none of [-1, 0, 32, 127]) expect(signalName(none)).toBeUndefined();
    expect(signalOfExitCode(null)).toBeUndefined();
  });
});
