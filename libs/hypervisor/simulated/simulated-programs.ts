import { createHash } from 'node:crypto';
import type { AgentExecResult } from '../port/guest-agent.ts';

/** What a simulated guest has installed and does, as far as our own programs ask for it. */
export interface GuestSoftware {
  /** Versions by name. */
  readonly packages: Readonly<Record<string, string>>;
  /** Its web server answers with an error. */
  readonly isBroken: boolean;
  /** Scripts in its memory, by the id of their run. */
  readonly runs: Readonly<Record<string, GuestRun>>;
}

interface GuestRun {
  /** What it is lost with. */
  readonly bootId: string;
  readonly script: string;
  readonly state: 'sent' | 'cancelled' | 'running';
  /** Lines of output that nobody has seen yet come one by one, with each look. */
  readonly output: readonly string[];
  readonly seen: number;
  /** Null: it never ends. */
  readonly exitCode: number | null;
}

/** One call of a program: its arguments and what it reads. */
export interface ProgramCall {
  readonly name: string;
  readonly args: readonly string[];
  readonly input: string;
  readonly bootId: string;
  /** Its first boot script fails. */
  readonly failsFirstBoot: boolean;
}

type Answer = { readonly stdout: string; readonly software?: GuestSoftware };
type Program = (call: ProgramCall, software: GuestSoftware) => Answer;

export const FRESH_SOFTWARE: GuestSoftware = {
  packages: { base: '12', web: '1.0' },
  isBroken: false,
  runs: {},
};

/** Runs one of Servery's own programs; undefined where it is none. */
export function runOwnProgram(
  call: ProgramCall,
  software: GuestSoftware,
): { readonly result: AgentExecResult; readonly software: GuestSoftware } | undefined {
  const program = PROGRAMS[call.name];
  if (!program) return undefined;
  const { stdout, software: changed = software } = program(call, software);
  return { result: { exitCode: 0, stdout, stderr: '' }, software: changed };
}

/** Another one for each start of a domain. */
export function bootIdOf(uuid: string, startedAtMs: number): string {
  const hex = createHash('sha256').update(`${uuid} ${startedAtMs}`).digest('hex');
  return [8, 4, 4, 4, 12]
    .map((length, index) => {
      const part = hex.slice(index * 12, index * 12 + length);
      // Version 4, variant 1: the kernel's are.
      return index === 2 ? `4${part.slice(1)}` : index === 3 ? `8${part.slice(1)}` : part;
    })
    .join('-');
}

const PROGRAMS: Readonly<Record<string, Program>> = {
  'servery-boot': ({ bootId }) => ({ stdout: `${bootId}\nFinishTimestampMonotonic=9000000\n` }),
  'servery-survey': ({ bootId }, { packages, isBroken }) => ({ stdout: survey(bootId, packages, isBroken) }),
  'servery-unit': ({ failsFirstBoot }) => ({
    stdout: failsFirstBoot
      ? 'LoadState=loaded\nActiveState=failed\nResult=exit-code\nExecMainStatus=3\n@@\nthere is no shop\n'
      : 'LoadState=loaded\nActiveState=active\nResult=success\nExecMainStatus=0\n@@\n',
  }),
  'servery-script-send': ({ args: [id = ''], input, bootId }, software) => ({
    stdout: `${bootId}\n`,
    software: software.runs[id] ? software : withRun(software, id, sent(bootId, input)),
  }),
  'servery-script-start': start,
  'servery-script-read': read,
  'servery-script-cancel': ({ args: [id = ''], bootId }, software) => {
    const run = runOf(software, id, bootId);
    if (run?.state !== 'sent') return { stdout: 'begun\n' };
    return { stdout: 'cancelled\n', software: withRun(software, id, { ...run, state: 'cancelled' }) };
  },
  'servery-script-clear': ({ args: [id = ''] }, { runs, ...software }) => {
    const { [id]: _cleared, ...others } = runs;
    return { stdout: '', software: { ...software, runs: others } };
  },
};

function sent(bootId: string, script: string): GuestRun {
  return { bootId, script, state: 'sent', output: [], seen: 0, exitCode: null };
}

function start({ args: [id = '', forBoot, , stage], bootId }: ProgramCall, software: GuestSoftware): Answer {
  const run = runOf(software, id, bootId);
  if (!run || forBoot !== bootId) return { stdout: 'lost\n' };
  if (run.state !== 'sent') return { stdout: 'started\n' };
  const { isBroken, packages, ...ended } = interpret(run.script, stage ?? '', software);
  const changed = { ...software, isBroken, packages };
  return { stdout: 'started\n', software: withRun(changed, id, { ...run, ...ended, state: 'running' }) };
}

function read(
  { args: [id = '', after = '0', most = '0'], bootId }: ProgramCall,
  software: GuestSoftware,
): Answer {
  const run = runOf(software, id, bootId);
  if (run?.state !== 'running') return { stdout: 'lost 0 0 0 0\n' };
  const seen = Math.min(run.seen + 1, run.output.length);
  const shown = Buffer.from(run.output.slice(0, seen).join(''));
  const isEnded = run.seen === run.output.length && run.exitCode !== null;
  const slice = shown.subarray(Number(after), Number(after) + Number(most)).toString('base64');
  const head = `${isEnded ? 'ended' : 'running'} ${shown.length} 0 ${run.exitCode ?? 0} 2`;
  return { stdout: `${head}\n${slice}`, software: withRun(software, id, { ...run, seen }) };
}

/**
 * A handful of commands, one in a line: `echo WORDS`, `install NAME VERSION`, `remove NAME`, `break` (its web page),
 * `hang`, `exit CODE`; after `production` only there.
 */
function interpret(script: string, stage: string, { packages, isBroken }: GuestSoftware) {
  const state = { packages: { ...packages }, isBroken, output: [] as string[], exitCode: 0 as number | null };
  for (const line of script.split('\n')) {
    const words = line.trim().split(/\s+/);
    if (words[0] === 'production' && words.shift() && stage !== 'production') continue;
    const [command, name = '', version = ''] = words;
    if (command === 'echo') state.output.push(`${words.slice(1).join(' ')}\n`);
    if (command === 'install') state.packages[name] = version;
    if (command === 'remove') delete state.packages[name];
    if (command === 'break') state.isBroken = true;
    if (command === 'exit') return { ...state, exitCode: Number(name) };
    if (command === 'hang') return { ...state, exitCode: null };
  }
  return state;
}

function runOf({ runs }: GuestSoftware, id: string, bootId: string): GuestRun | undefined {
  const run = runs[id];
  return run?.bootId === bootId ? run : undefined;
}

function withRun(software: GuestSoftware, id: string, run: GuestRun): GuestSoftware {
  return { ...software, runs: { ...software.runs, [id]: run } };
}

function survey(bootId: string, packages: Readonly<Record<string, string>>, isBroken: boolean): string {
  const state = isBroken ? 'failed failed' : 'active running';
  return [
    '\n@@kernel\n6.1.0-simulated',
    `\n@@boot\n${bootId}\nFinishTimestampMonotonic=9000000`,
    `\n@@packages\n${Object.entries(packages)
      .map((entry) => ['ii', ...entry].join('\t'))
      .join('\n')}`,
    `\n@@services\nweb.service loaded ${state} The web`,
    `\n@@failed\n${isBroken ? 'web.service loaded failed failed The web' : ''}`,
    `\n@@sockets\ntcp 00000000:0016\n${isBroken ? '' : 'tcp 00000000:0050'}`,
    '\n@@disks\n/dev/vda1 4000000 1000000 3000000 25% /',
  ].join('\n');
}
