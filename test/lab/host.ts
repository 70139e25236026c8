import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { lstat, mkdir, readFile, readlink, rm, stat, symlink, unlink } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { ensurePools, freeSpace } from './host-pools.ts';
import { findInit, findInits, hostProcesses, isAlive, runsInitScript } from './host-processes.ts';
import { answers } from './host-state.ts';
import { LabError } from './lab.errors.ts';
import type { HostLayout, LabLayout } from './layout.ts';
import { thaw } from './levers.ts';
import { isLinked, setLinked } from './network.ts';
import { end, listProcesses, namespaceOf, type Process, signal, waitUntil } from './processes.ts';
import { run } from './run.ts';

const INIT_SCRIPT = fileURLToPath(new URL('host-init.sh', import.meta.url));
/** The daemons' own pid files would stand in /run, which hosts share; their folder there is /run/libvirt. */
const DAEMONS = {
  virtlogd: ['-d', '-p', '/run/libvirt/virtlogd.pid'],
  libvirtd: ['-d', '-l', '-p', '/run/libvirt/libvirtd.pid'],
} as const;

/** Brings a host to health from whatever state: on, in its network, linked, thawed, answering, with its pools. */
export async function healHost(lab: LabLayout, host: HostLayout): Promise<void> {
  if (await isInOldNetwork(lab, host)) await powerOff(lab, host);
  await thaw(lab, host);
  const init = (await findInit(lab, host)) ?? (await powerOn(lab, host));
  if (!(await isLinked(lab, host))) await setLinked(lab, host, true);
  await plugSocket(host);
  await freeSpace(lab, host);
  await ensureDaemons(host, init);
  await ensurePools(host);
}

/** Power loss: libvirt and every guest end at once, in the middle of what they do. */
export async function powerOff(lab: LabLayout, host: HostLayout): Promise<void> {
  const init = await findInit(lab, host);
  if (init) await endHost(init);
}

/** Power loss of every host, and the end of hosts that were only about to start. */
export async function powerOffAll(lab: LabLayout): Promise<void> {
  await Promise.all((await findInits(lab)).map(endHost));
  await end((await listProcesses()).filter((process) => runsInitScript(lab, process)));
}

async function endHost(init: Process): Promise<void> {
  const members = await hostProcesses(init);
  await signal(init, 'SIGKILL');
  // The kernel kills the whole PID namespace with its first process; wait until it has.
  const isOver = async () => !(await Promise.all(members.map(isAlive))).includes(true);
  if (await waitUntil(isOver, 20)) return;
  throw new LabError(
    'host_failed',
    `${init.argv[3]} does not die: a process of it hangs in the kernel. A reboot of this machine helps.`,
  );
}

async function isInOldNetwork(lab: LabLayout, host: HostLayout): Promise<boolean> {
  const init = await findInit(lab, host);
  if (!init) return false;
  const named = await stat(`/run/netns/${host.namespace}`).catch(() => undefined);
  return (await namespaceOf(init.pid, 'net')) !== `net:[${named?.ino}]`;
}

async function powerOn(lab: LabLayout, host: HostLayout): Promise<Process> {
  // /run does not survive a power loss on a real host either.
  await rm(host.runFolder, { recursive: true, force: true });
  await mkdir(host.runFolder, { recursive: true });
  await mkdir(lab.logFolder, { recursive: true });
  const log = openSync(host.initLog, 'w');
  const args = [
    `--net=/run/netns/${host.namespace}`,
    'unshare',
    '--mount',
    '--uts',
    '--ipc',
    '--pid',
    '--fork',
    '--propagation',
    'private',
  ];
  const init = ['sh', INIT_SCRIPT, lab.hash, host.name, host.folder, host.runFolder, lab.sharedFolder];
  const child = spawn('nsenter', [...args, ...init], {
    cwd: '/',
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  let ended = false;
  child.once('error', () => {
    ended = true;
  });
  child.once('exit', () => {
    ended = true;
  });
  child.unref();
  const booted = async () => ended || (await exists(`${host.runFolder}/booted`));
  const found = (await waitUntil(booted, 20)) && !ended ? await findInit(lab, host) : undefined;
  if (found) return found;
  const said = (await readFile(host.initLog, 'utf8').catch(() => '')).trim();
  throw new LabError(
    'host_failed',
    `${host.name} does not start: ${said || 'no reason given'}. Log: ${host.initLog}`,
  );
}

/** Puts the host's socket where clients look for it (`cut` takes it away). */
async function plugSocket(host: HostLayout): Promise<void> {
  const target = `${host.name}/libvirt-sock`;
  if ((await readlink(host.socket).catch(() => undefined)) === target) return;
  if (await lstat(host.socket).catch(() => undefined)) await unlink(host.socket);
  await symlink(target, host.socket);
}

async function ensureDaemons(host: HostLayout, init: Process): Promise<void> {
  const running = new Set((await hostProcesses(init)).map((member) => member.argv[0]));
  for (const [daemon, flags] of Object.entries(DAEMONS)) {
    if (!running.has(daemon)) await inHost(init, daemon, ...flags);
  }
  if (await waitUntil(() => answers(host), 20)) return;
  throw new LabError(
    'host_failed',
    `libvirtd of ${host.name} runs and does not answer at ${host.uri}. Its log: ${host.folder}/log`,
  );
}

/** Runs a program as if it were typed on the host's console. */
async function inHost(init: Process, program: string, ...args: string[]): Promise<void> {
  await run(
    'nsenter',
    ['--target', String(init.pid), '--mount', '--uts', '--ipc', '--net', '--pid', '--', program, ...args],
    30,
  );
}

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );
