import { readFile } from 'node:fs/promises';
import { LabError } from './lab.errors.ts';
import type { HostLayout, LabLayout } from './layout.ts';
import { listProcesses, namespaceOf, type Process, readProcess } from './processes.ts';

/** The process that is the host, or undefined while the host is off. */
export async function findInit(lab: LabLayout, host: HostLayout): Promise<Process | undefined> {
  return (await findInits(lab)).find((init) => init.argv[3] === host.name);
}

/** The first processes of all hosts of the lab, also of those that its description has lost. */
export async function findInits(lab: LabLayout): Promise<Process[]> {
  const scripts = (await listProcesses()).filter(
    (process) => runsInitScript(lab, process) && process.argv[0] === 'sh',
  );
  const statuses = await Promise.all(
    scripts.map(({ pid }) => readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')),
  );
  return scripts.filter((_, index) => /^NSpid:\t\d+\t1$/m.test(statuses[index] ?? ''));
}

/** The init itself, or one of the commands that start it. */
export function runsInitScript(lab: LabLayout, { argv }: Process): boolean {
  return argv.some((argument, at) => argument.endsWith('/host-init.sh') && argv[at + 1] === lab.hash);
}

export async function requireInit(lab: LabLayout, host: HostLayout): Promise<Process> {
  const init = await findInit(lab, host);
  if (!init) throw new LabError('host_not_running', `${host.name} is off. Run: lab heal ${host.name}`);
  return init;
}

/** All processes of the host, which are those of its PID namespace. */
export async function hostProcesses(init: Process): Promise<Process[]> {
  const home = await namespaceOf(init.pid, 'pid');
  if (!home) return [];
  const all = await listProcesses();
  const homes = await Promise.all(all.map((process) => namespaceOf(process.pid, 'pid')));
  return all.filter((_, index) => homes[index] === home);
}

export async function isAlive(process: Process): Promise<boolean> {
  return (await readProcess(process.pid))?.startTicks === process.startTicks;
}
