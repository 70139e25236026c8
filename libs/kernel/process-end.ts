/** How a process ended: by itself, or by a signal of this name. */
export interface ProcessEnd {
  readonly exitCode: number | null;
  readonly signal: string | null;
}

/** Of Linux on x86-64 and ARM, from 1: signal(7). */
const SIGNALS = (
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU ' +
  'URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS'
).split(' ');

/** What a signal says of a process that it has ended; of any other it is said by name alone. */
const WORDS: Readonly<Record<string, string>> = {
  SIGKILL: 'was killed',
  SIGXCPU: 'computed for longer than it may',
  SIGXFSZ: 'wrote more into one file than it may',
  SIGSYS: 'asked the kernel for what it may not have',
  ...Object.fromEntries(
    ['ILL', 'TRAP', 'ABRT', 'BUS', 'FPE', 'SEGV'].map((name) => [`SIG${name}`, 'crashed']),
  ),
};

/** `SIGKILL` for 9; undefined for what is the number of no signal. */
export function signalName(number: number): string | undefined {
  const name = SIGNALS[number - 1];
  return name && `SIG${name}`;
}

/** The signal that an exit code stands for by the habit of shells, which add 128; undefined for any other code. */
export function signalOfExitCode(exitCode: number | null): string | undefined {
  return exitCode === null ? undefined : signalName(exitCode - 128);
}

/** `ended with 3`, `was killed (SIGKILL)`: what follows the name of a process in a sentence. */
export function sayEnd({ exitCode, signal }: ProcessEnd): string {
  if (signal !== null) return saySignal(signal);
  const within = signalOfExitCode(exitCode);
  return `ended with ${exitCode ?? 'no exit code'}${within ? `: what it ran ${saySignal(within)}` : ''}`;
}

function saySignal(signal: string): string {
  const words = WORDS[signal];
  return words ? `${words} (${signal})` : `was ended by ${signal}`;
}
