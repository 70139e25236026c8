import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Visible } from '#libs/confinement';
import type { CookLimits } from '../limits.ts';
import { runBehindWall, type WallRun } from './behind-wall.ts';

const exec = promisify(execFile);

/** Enough for a script of some lines; small enough to reach. */
export const smallLimits: CookLimits = {
  memoryMib: 256,
  processes: 64,
  diskGib: 0.25,
  wallSeconds: 150,
  cpuSeconds: 60,
  logBytes: 256 * 1024,
};

type Try = Partial<Pick<WallRun, 'visible' | 'handed' | 'signal' | 'fileBytes'>> & {
  limits?: Partial<CookLimits>;
};

/** A folder for runs behind the wall, with a secret beside it. */
export class WallGround implements AsyncDisposable {
  readonly folder: string;
  readonly secret = `marker-${process.pid}-${Math.random().toString(36).slice(2)}`;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async make(): Promise<WallGround> {
    const ground = new WallGround(await mkdtemp(join(tmpdir(), 'wall-')));
    await mkdir(ground.seen.from);
    await writeFile(ground.secretPath, ground.secret, { mode: 0o644 });
    return ground;
  }

  get secretPath(): string {
    return join(this.folder, 'secret');
  }

  /** By it the processes of runs are known, which see nothing else of this folder. */
  get seen(): Visible {
    return { from: join(this.folder, 'seen'), at: '/in/seen' };
  }

  /** Runs a script of a shell as package scripts are run, or worse: it may see all that is behind the wall. */
  async run(script: string, { limits, ...more }: Try = {}) {
    const scratchDir = await mkdtemp(join(this.folder, 'run-'));
    const lines: string[] = [];
    const end = await runBehindWall({
      argv: ['/usr/bin/sh', '-c', script],
      input: '',
      environment: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
      visible: [this.seen],
      handed: [],
      fileBytes: 1024 ** 3,
      scratchDir,
      limits: { ...smallLimits, ...limits },
      ...more,
      onLine: (line) => lines.push(line),
    });
    return { ...end, lines, text: lines.join('\n') };
  }

  /** What of the runs is still on this machine; a run that was cut off takes a moment to go. */
  async leftovers(): Promise<string[]> {
    return [...(await this.#files()), ...processesOf(this.folder), ...(await this.#loops())];
  }

  /** Builders' disks have no name while they are in use. */
  async #files(): Promise<string[]> {
    const runs = (await readdir(this.folder)).filter((name) => name.startsWith('run-'));
    const files = await Promise.all(runs.map((run) => readdir(join(this.folder, run), { recursive: true })));
    return files.flat().filter((name) => name !== 'stage' && !name.startsWith('handed'));
  }

  async #loops(): Promise<string[]> {
    const { stdout } = await exec('losetup', ['--list', '--noheadings', '--output', 'NAME,BACK-FILE']);
    return stdout.split('\n').filter((line) => line.includes(this.folder));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Processes whose command has something of `folder`, or whose mounts have: a mount of ours alone would be everybody's. */
export function processesOf(folder: string): string[] {
  const ids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  return ids.flatMap((id) => {
    const [command = '', mounts = ''] = ['cmdline', 'mountinfo'].map((file) =>
      readIfThere(`/proc/${id}/${file}`),
    );
    return command.includes(folder) || mounts.includes(folder)
      ? [`${id} ${command.replaceAll('\0', ' ')}`]
      : [];
  });
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
