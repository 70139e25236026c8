import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { ownProgram } from '#libs/own-code';
import { cookError, refuseCancelled } from '../cook.errors.ts';
import type { KeeperLine, WallEnd, WallOrder } from './order.ts';
import { PATH } from './tool.ts';

export interface WallRun extends Omit<WallOrder, 'isRootless'> {
  readonly signal?: AbortSignal | undefined;
  /** Each line that it prints, as it comes: cut in pieces where it is long, and otherwise as it was printed. */
  readonly onLine: (line: string) => void;
}

/** For the keeper to say that time is up, before we say it for a keeper that hangs. */
const GRACE_SECONDS = 60;

/**
 * Runs a program behind the wall to its end, and never anywhere else. Whatever it does, nothing of it is left then, but
 * what is in the files that it was handed.
 * @throws DomainError `cook_wall_unavailable`, `cook_cancelled`
 */
export async function runBehindWall(run: WallRun): Promise<WallEnd> {
  refuseCancelled(run.signal);
  const { signal, onLine, ...order } = run;
  const isRootless = process.getuid?.() !== 0;
  const [program, ...args] = keeperCommand(isRootless);
  const keeper = spawn(program, args, { cwd: '/', env: { PATH, LC_ALL: 'C' }, stdio: 'pipe' });
  keeper.stdin.on('error', () => {});
  keeper.stdin.write(`${JSON.stringify({ ...order, isRootless } satisfies WallOrder)}\n`);
  const heard: { end?: WallEnd; problem: string } = { problem: '' };
  createInterface({ input: keeper.stdout }).on('line', (text) => {
    const line = JSON.parse(text) as KeeperLine;
    if ('said' in line) onLine(line.said);
    else if ('end' in line) heard.end = line.end;
    else heard.problem = line.unavailable;
  });
  createInterface({ input: keeper.stderr }).on('line', (line) => {
    heard.problem = `${heard.problem}\n${line}`.slice(-2000);
  });
  const kill = () => keeper.kill('SIGKILL');
  const timer = setTimeout(kill, (run.limits.wallSeconds + GRACE_SECONDS) * 1000);
  signal?.addEventListener('abort', kill, { once: true });
  await new Promise<void>((resolve) => {
    keeper.once('error', ({ message }) => {
      heard.problem = message;
      resolve();
    });
    keeper.once('close', () => resolve());
  });
  clearTimeout(timer);
  signal?.removeEventListener('abort', kill);
  refuseCancelled(signal);
  if (!heard.end) throw unavailable(heard.problem);
  return heard.end;
}

/** Ours is its own mount namespace, and, where we are not root, a user namespace with the ids that /etc/subuid gives us. */
function keeperCommand(isRootless: boolean): [string, ...string[]] {
  const user = isRootless ? ['--user', '--map-root-user', '--map-auto'] : [];
  return [
    ...(['unshare', ...user, '--mount', '--propagation', 'private', '--'] as const),
    ...[
      'setpriv',
      '--pdeathsig',
      'KILL',
      '--',
      process.execPath,
      ...ownProgram('libs/images/cook/wall/keeper.main'),
    ],
  ];
}

function unavailable(said: string) {
  return cookError(
    'cook_wall_unavailable',
    'This machine cannot wall in the building of images, so none is built. Run it as root, or install uidmap, allow ' +
      'user namespaces and give its user a range of ids in /etc/subuid and /etc/subgid.',
    { details: { said: said.trim().slice(-1000) } },
  );
}
