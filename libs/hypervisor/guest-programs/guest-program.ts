import type { HostRef } from '../port/hosts.ts';
import type { Hypervisor } from '../port/hypervisor.ts';

/** A guest as the programs below need it. */
export interface Guest {
  readonly hypervisor: Pick<Hypervisor, 'agentExec'>;
  readonly host: HostRef;
  /** Of its domain. */
  readonly uuid: string;
}

/** A shell program of ours, for `/bin/sh` of any Linux. Its process in the guest goes by its name. */
export interface GuestProgram {
  readonly name: string;
  readonly text: string;
}

export interface ProgramRun {
  readonly args?: readonly string[];
  /** What it reads at its standard input: this alone may be secret. */
  readonly input?: string;
  readonly timeoutSeconds: number;
}

/** Runs one of our programs in a guest as root. @returns what it printed, or undefined where it failed */
export async function runInGuest(
  { hypervisor, host, uuid }: Guest,
  { name, text }: GuestProgram,
  { args = [], input, timeoutSeconds }: ProgramRun,
): Promise<string | undefined> {
  const options = { timeoutSeconds, ...(input !== undefined && { input }) };
  const { exitCode, stdout } = await hypervisor.agentExec(
    host,
    uuid,
    ['/bin/sh', '-c', text, name, ...args],
    options,
  );
  return exitCode === 0 ? stdout : undefined;
}
