import { z } from 'zod';
import { HypervisorError } from '../hypervisor.errors.ts';
import { type Guest, type GuestProgram, type ProgramRun, runInGuest } from './guest-program.ts';
import { CANCEL_SCRIPT, CLEAR_SCRIPT, READ_SCRIPT, SEND_SCRIPT, START_SCRIPT } from './script-programs.ts';

/** How a customer's script is run in a guest; `stage` is told to it as `SERVERY_STAGE`. */
export interface ScriptRun {
  /** As often as it is asked for by this id, it runs once. */
  readonly runId: number;
  /** What `sendScript` gave. */
  readonly bootId: string;
  readonly timeoutSeconds: number;
  readonly stage: 'rehearsal' | 'production';
  /** Of its output; what is beyond is counted. */
  readonly keptBytes: number;
}

/** How far a script is, with the next slice of its output. `lost`: the guest was restarted, and knows nothing of it. */
export type ScriptState =
  | { readonly state: 'lost' }
  | { readonly state: 'running'; readonly bytes: Buffer }
  | {
      readonly state: 'ended';
      readonly bytes: Buffer;
      /** Whether there is output beyond this slice. */
      readonly isAll: boolean;
      readonly exitCode: number;
      readonly seconds: number;
      readonly cutBytes: number;
    };

const PROMPT_SECONDS = 60;
/** Of `timeout`, and of what it kills. */
export const TIMED_OUT_CODES: readonly number[] = [124, 137];

const bootId = z.uuid();
const count = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const head = z.tuple([z.enum(['lost', 'running', 'ended']), count, count, count.max(255), count]);

/**
 * Brings a script into a guest's memory; its bytes stand in no argument list on the way. May be repeated.
 * @returns the boot that it is there for
 */
export async function sendScript(guest: Guest, runId: number, script: string): Promise<string> {
  const printed = await run(guest, SEND_SCRIPT, {
    args: [String(runId)],
    input: script,
    timeoutSeconds: PROMPT_SECONDS,
  });
  return understood(bootId, printed.trim());
}

/** Starts a script that was sent, unless it was started before. False where a reboot has lost it. */
export async function startScript(guest: Guest, script: ScriptRun): Promise<boolean> {
  const { runId, timeoutSeconds, stage, keptBytes } = script;
  const args = [String(runId), script.bootId, String(timeoutSeconds), stage, String(keptBytes)];
  const printed = await run(guest, START_SCRIPT, { args, timeoutSeconds: PROMPT_SECONDS });
  return understood(z.enum(['started', 'lost']), printed.trim()) === 'started';
}

/** Reads on: at most `mostBytes` of the output after `after`. */
export async function readScript(
  guest: Guest,
  { runId, after, mostBytes }: { readonly runId: number; readonly after: number; readonly mostBytes: number },
): Promise<ScriptState> {
  const args = [runId, after, mostBytes].map(String);
  const printed = await run(guest, READ_SCRIPT, { args, timeoutSeconds: PROMPT_SECONDS });
  const [first = '', slice = ''] = printed.split('\n', 2);
  const [state, size, cutBytes, exitCode, seconds] = understood(head, first.split(' '));
  if (state === 'lost') return { state };
  const bytes = Buffer.from(slice, 'base64').subarray(0, mostBytes);
  if (state === 'running') return { state, bytes };
  const isAll = bytes.length === 0 || after + bytes.length >= size;
  return { state, bytes, isAll, exitCode, seconds, cutBytes };
}

/** Removes a script and its output from the guest's memory. */
export async function clearScript(guest: Guest, runId: number): Promise<void> {
  await run(guest, CLEAR_SCRIPT, { args: [String(runId)], timeoutSeconds: PROMPT_SECONDS });
}

/** Keeps a script that was sent from being started. False where it may have been started. */
export async function cancelScript(guest: Guest, runId: number): Promise<boolean> {
  const printed = await run(guest, CANCEL_SCRIPT, { args: [String(runId)], timeoutSeconds: PROMPT_SECONDS });
  return printed.trim() === 'cancelled';
}

async function run(guest: Guest, program: GuestProgram, how: ProgramRun): Promise<string> {
  const printed = await runInGuest(guest, program, how);
  if (printed !== undefined) return printed;
  throw new HypervisorError('agent_refused', `Guest ${guest.uuid} does not run ${program.name}.`);
}

function understood<T>(schema: z.ZodType<T>, answer: unknown): T {
  const result = schema.safeParse(answer);
  if (result.success) return result.data;
  throw new HypervisorError('agent_refused', 'A guest gave an answer that our program does not give.');
}
