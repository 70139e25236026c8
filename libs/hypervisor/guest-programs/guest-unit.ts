import { type ProcessEnd, signalName } from '#libs/kernel';
import { HypervisorError } from '../hypervisor.errors.ts';
import { type Guest, type GuestProgram, runInGuest } from './guest-program.ts';

/**
 * What became of a unit of systemd that runs once and ends. `done`: it has ended well, at this boot or a former one, or there
 * is none; `waiting`: it runs, or has not been started yet.
 */
export type OneshotState =
  | { readonly state: 'done' | 'waiting' }
  | {
      readonly state: 'failed';
      /** `late`: it was ended for taking too long; `out_of_memory`: the kernel killed of it what wanted more than there was. */
      readonly end: ProcessEnd | 'late' | 'out_of_memory';
      /** The last that it printed: printable ASCII, at most 200 characters. */
      readonly lastLine: string;
    };

const TIMEOUT_SECONDS = 60;
const MAX_LINE = 200;

/** Prints how a unit is, and what its processes have printed last. */
const LOOK_AT_UNIT: GuestProgram = {
  name: 'servery-unit',
  text: `
export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
systemctl show --property=LoadState,ActiveState,Result,ExecMainCode,ExecMainStatus,ConditionResult,ConditionTimestampMonotonic \
  -- "$1" 2>/dev/null | head -c 1000
echo @@
journalctl --boot --quiet --no-pager --output=cat --lines=1 "_SYSTEMD_UNIT=$1" 2>/dev/null | head -c 2000
exit 0`,
};

/** Asks a guest for a unit by its name. @throws HypervisorError `agent_not_answering`, `agent_refused` */
export async function lookAtOneshot(guest: Guest, unit: string): Promise<OneshotState> {
  const printed = await runInGuest(guest, LOOK_AT_UNIT, { args: [unit], timeoutSeconds: TIMEOUT_SECONDS });
  if (printed !== undefined) return parseOneshot(printed);
  throw new HypervisorError('agent_refused', `Guest ${guest.uuid} does not say how ${unit} is.`);
}

/** Reads what a guest printed, which may be anything. Never throws. */
export function parseOneshot(printed: string): OneshotState {
  // The script may print the mark itself: the first one is ours.
  const [, head = '', said = ''] = /^(.*?)^@@\n(.*)$/ms.exec(printed.slice(0, 4000)) ?? [];
  const has = (line: string) => head.split('\n').includes(line);
  if (has('ActiveState=failed')) {
    const lastLine = said
      .replace(/[^\x20-\x7e]+/g, ' ')
      .trim()
      .slice(0, MAX_LINE);
    return { state: 'failed', end: endIn(head, has), lastLine };
  }
  if (has('ActiveState=active')) return { state: 'done' };
  if (/^LoadState=(?!loaded$)/m.test(head)) return { state: 'done' };
  // It was looked at, and had nothing to do: it has run at a former boot.
  const wasLookedAt = /^ConditionTimestampMonotonic=[1-9]/m.test(head);
  const hasNothingToDo = has('ActiveState=inactive') && has('ConditionResult=no') && wasLookedAt;
  return { state: hasNothingToDo ? 'done' : 'waiting' };
}

/** By systemd.service(5), and by the codes of a process that waitid(2) has: 1 exited, 2 was killed, 3 dumped its core. */
function endIn(head: string, has: (line: string) => boolean): ProcessEnd | 'late' | 'out_of_memory' {
  if (has('Result=timeout')) return 'late';
  if (has('Result=oom-kill')) return 'out_of_memory';
  const [, status] = /^ExecMainStatus=(\d{1,3})$/m.exec(head) ?? [];
  const exitCode = Number(status ?? 1);
  if (!has('ExecMainCode=2') && !has('ExecMainCode=3')) return { exitCode, signal: null };
  return { exitCode: null, signal: signalName(exitCode) ?? `signal ${exitCode}` };
}
