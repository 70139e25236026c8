import { mkdtemp, readdir, readFile, readlink, stat } from 'node:fs/promises';
import { labLayout } from './layout.ts';
import { readProcess, signal } from './processes.ts';
import { run } from './run.ts';

/** A folder for a lab whose path is longer than a socket's path may be. */
export async function deepFolder(): Promise<string> {
  return `${await mkdtemp('/tmp/servery-lab-')}/${'deep-'.repeat(12)}/${'folder-'.repeat(8)}/lab`;
}

/** Process ids in any network namespace of the lab, gateway included. */
export async function pidsInLab(folder: string): Promise<number[]> {
  const { hash } = labLayout(folder);
  const names = (await readdir('/run/netns').catch(() => [])).filter((name) => name.startsWith(`sv${hash}-`));
  const homes = new Set(
    await Promise.all(names.map(async (name) => `net:[${(await stat(`/run/netns/${name}`)).ino}]`)),
  );
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const nets = await Promise.all(pids.map((pid) => readlink(`/proc/${pid}/ns/net`).catch(() => '')));
  return pids.filter((_, index) => homes.has(nets[index] ?? '')).map(Number);
}

/** SIGKILL to each; one that is already gone, with its host, is no error. */
export async function killAll(pids: readonly number[]): Promise<void> {
  for (const pid of pids) {
    const target = await readProcess(pid);
    if (target) await signal(target, 'SIGKILL');
  }
}

/** All that the machine still has of a lab: processes, namespaces, mounts, and its folder under /run. */
export async function tracesOf(folder: string, pids: readonly number[] = []): Promise<string[]> {
  const { hash, runFolder } = labLayout(folder);
  const isOurs = (line: string) => line.includes(hash) || line.includes(folder);
  const processes: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const argv = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (isOurs(argv) || (pids.includes(Number(pid)) && argv !== ''))
      processes.push(`process ${pid}: ${argv.replaceAll('\0', ' ')}`);
  }
  const namespaces = (await run('ip', ['netns', 'list'])).split('\n').filter(isOurs);
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n').filter(isOurs);
  const loops = (await run('losetup', ['--list', '--noheadings', '--output', 'BACK-FILE']))
    .split('\n')
    .filter(isOurs);
  const runFolders = (await stat(runFolder).catch(() => undefined)) ? [runFolder] : [];
  return [...processes, ...namespaces, ...mounts, ...loops, ...runFolders];
}
