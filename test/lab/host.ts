import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { lstat, mkdir, readFile, readlink, rm, stat, statfs, symlink, unlink } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { LabError } from './lab.errors.ts';
import { type HostLayout, type LabLayout, POOL_ROOT, POOLS } from './layout.ts';
import { isLinked, setLinked } from './network.ts';
import {
  end,
  listProcesses,
  namespaceOf,
  type Process,
  readProcess,
  signal,
  waitUntil,
} from './processes.ts';
import { run, tryRun } from './run.ts';

/** What a host is, seen from outside: `off` has no process; `unresponsive` is on and libvirt does not answer. */
export type HostState = 'running' | 'off' | 'cut' | 'frozen' | 'unresponsive';

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
  await ensureDaemons(host, init);
  await ensurePools(host);
  await freeSpace(lab, host);
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

/** Pulls the host's cables: guests lose the network, and clients lose libvirt. The host itself works on. */
export async function cut(lab: LabLayout, host: HostLayout): Promise<void> {
  await requireInit(lab, host);
  await setLinked(lab, host, false);
  await rm(host.socket, { force: true });
}

/** Stops every process of the host, as a machine that hangs: sockets stay open and nobody answers. */
export async function freeze(lab: LabLayout, host: HostLayout): Promise<void> {
  const init = await requireInit(lab, host);
  for (const member of await hostProcesses(init))
    if (member.pid !== init.pid) await signal(member, 'SIGSTOP');
}

/** Lets a frozen host go on; nothing happens to one that is not frozen. */
export async function thaw(lab: LabLayout, host: HostLayout): Promise<void> {
  const init = await findInit(lab, host);
  if (!init) return;
  for (const member of await hostProcesses(init)) if (member.state === 'T') await signal(member, 'SIGCONT');
}

/** Uses up the space of the host's pools, to the last block. Needs a lab with `diskGib`. */
export async function fill(lab: LabLayout, host: HostLayout): Promise<void> {
  if (!(await hasPoolDisk(host))) {
    throw new LabError(
      'no_disk_limit',
      `The pools of ${host.name} share this machine's disk, which the lab will not fill. Start the lab anew: down, then up --disk-gib 8.`,
    );
  }
  const init = await requireInit(lab, host);
  const { bavail, bsize } = await statfs(poolPath(init, ''));
  if (bavail === 0) return;
  await run('fallocate', ['--length', String(bavail * bsize), poolPath(init, '/filler')]).catch(
    () => undefined,
  );
  // Block maps take room of their own, so the first try may be a little too large: fill what is left.
  await tryRun(
    'dd',
    [
      'if=/dev/zero',
      `of=${poolPath(init, '/filler')}`,
      'bs=64K',
      'oflag=append',
      'conv=notrunc',
      'status=none',
    ],
    120,
  );
}

export async function hostState(lab: LabLayout, host: HostLayout): Promise<HostState> {
  const init = await findInit(lab, host);
  if (!init) return 'off';
  const libvirtd = (await hostProcesses(init)).find((member) => member.argv[0] === 'libvirtd');
  if (libvirtd?.state === 'T') return 'frozen';
  if (!(await isLinked(lab, host))) return 'cut';
  return (await answers(host)) ? 'running' : 'unresponsive';
}

/** Number of guests that run on the host now. */
export async function guestCount(lab: LabLayout, host: HostLayout): Promise<number> {
  const init = await findInit(lab, host);
  if (!init) return 0;
  return (await hostProcesses(init)).filter((member) => member.argv[0]?.includes('qemu-system')).length;
}

/** Whether the host's pools have no space left. */
export async function isFull(lab: LabLayout, host: HostLayout): Promise<boolean> {
  const init = await findInit(lab, host);
  if (!init || !(await hasPoolDisk(host))) return false;
  return (await statfs(poolPath(init, '')).catch(() => undefined))?.bavail === 0;
}

/** The process that is the host, or undefined while the host is off. */
async function findInit(lab: LabLayout, host: HostLayout): Promise<Process | undefined> {
  return (await findInits(lab)).find((init) => init.argv[3] === host.name);
}

/** The first processes of all hosts of the lab, also of those that its description has lost. */
async function findInits(lab: LabLayout): Promise<Process[]> {
  const scripts = (await listProcesses()).filter(
    (process) => runsInitScript(lab, process) && process.argv[0] === 'sh',
  );
  const statuses = await Promise.all(
    scripts.map(({ pid }) => readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')),
  );
  return scripts.filter((_, index) => /^NSpid:\t\d+\t1$/m.test(statuses[index] ?? ''));
}

/** The init itself, or one of the commands that start it. */
function runsInitScript(lab: LabLayout, { argv }: Process): boolean {
  return argv.some((argument, at) => argument.endsWith('/host-init.sh') && argv[at + 1] === lab.hash);
}

async function requireInit(lab: LabLayout, host: HostLayout): Promise<Process> {
  const init = await findInit(lab, host);
  if (!init) throw new LabError('host_not_running', `${host.name} is off. Run: lab heal ${host.name}`);
  return init;
}

/** All processes of the host, which are those of its PID namespace. */
async function hostProcesses(init: Process): Promise<Process[]> {
  const home = await namespaceOf(init.pid, 'pid');
  if (!home) return [];
  const all = await listProcesses();
  const homes = await Promise.all(all.map((process) => namespaceOf(process.pid, 'pid')));
  return all.filter((_, index) => homes[index] === home);
}

async function isAlive(process: Process): Promise<boolean> {
  return (await readProcess(process.pid))?.startTicks === process.startTicks;
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

async function answers(host: HostLayout): Promise<boolean> {
  return (await tryRun('virsh', ['-c', host.uri, 'uri'], 5)) !== undefined;
}

async function ensurePools(host: HostLayout): Promise<void> {
  const virsh = (...args: string[]) => run('virsh', ['-c', host.uri, ...args]);
  const [active, defined] = await Promise.all([
    virsh('pool-list', '--name'),
    virsh('pool-list', '--all', '--name'),
  ]);
  for (const [folder, pool] of Object.entries(POOLS)) {
    if (!hasLine(defined, pool))
      await virsh('pool-define-as', pool, 'dir', '--target', `${POOL_ROOT}/${folder}`);
    if (!hasLine(defined, pool)) await virsh('pool-autostart', pool);
    if (!hasLine(active, pool)) await virsh('pool-start', pool);
  }
}

async function freeSpace(lab: LabLayout, host: HostLayout): Promise<void> {
  const init = await requireInit(lab, host);
  await rm(poolPath(init, '/filler'), { force: true });
}

/** Runs a program as if it were typed on the host's console. */
async function inHost(init: Process, program: string, ...args: string[]): Promise<void> {
  await run(
    'nsenter',
    ['--target', String(init.pid), '--mount', '--uts', '--ipc', '--net', '--pid', '--', program, ...args],
    30,
  );
}

/** A path inside the host's pools, reached from outside its mount namespace. */
function poolPath(init: Process, path: string): string {
  return `/proc/${init.pid}/root${POOL_ROOT}${path}`;
}

const hasPoolDisk = (host: HostLayout) => exists(`${host.folder}/pools.ext4`);
const hasLine = (text: string, line: string) => text.split('\n').some((each) => each.trim() === line);
const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );
