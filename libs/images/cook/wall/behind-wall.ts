import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { ownProgram, withoutInherited } from '#libs/confinement';
import { cookError, refuseCancelled } from '../cook.errors.ts';
import type { KeeperLine, WallEnd, WallOrder } from './order.ts';
import { PATH } from './tool.ts';

export interface WallRun extends Omit<WallOrder, 'isRootless'> {
  readonly signal?: AbortSignal | undefined;
  /** Each line that it prints, as it comes: cut in pieces where it is long, and otherwise as it was printed. */
  readonly onLine: (line: string) => void;
}

/** For the keeper to do what it is to do by itself, before it is taken for one that hangs. */
const GRACE_SECONDS = 60;

/**
 * Runs a program behind the wall to its end, and never anywhere else. Whatever it does, nothing of it is left then, but
 * what is in the files that it was handed.
 * @throws DomainError `cook_wall_unavailable`, `cook_cancelled`
 */
export async function runBehindWall({ signal, onLine, ...order }: WallRun): Promise<WallEnd> {
  refuseCancelled(signal);
  const isRootless = process.getuid?.() !== 0;
  const keeper = startKeeper(isRootless);
  const heard = hear(keeper, onLine);
  // It stays open: the keeper ends with it, and what it keeps before.
  keeper.stdin.write(`${JSON.stringify({ ...order, isRootless } satisfies WallOrder)}\n`);
  const kill = () => keeper.kill('SIGKILL');
  const late = () => {
    heard.end = { exitCode: null, signal: null, stoppedBy: 'wall_time', diskWasFull: false };
    kill();
  };
  let timer = setTimeout(late, (order.limits.wallSeconds + GRACE_SECONDS) * 1000);
  const cancel = () => {
    keeper.stdin.end();
    clearTimeout(timer);
    timer = setTimeout(kill, GRACE_SECONDS * 1000);
  };
  signal?.addEventListener('abort', cancel, { once: true });
  await new Promise((resolve) => keeper.once('error', resolve).once('close', resolve));
  clearTimeout(timer);
  signal?.removeEventListener('abort', cancel);
  refuseCancelled(signal);
  if (!heard.end) throw unavailable(heard.problem);
  return heard.end;
}

function startKeeper(isRootless: boolean): ChildProcessWithoutNullStreams {
  const [program, ...args] = keeperCommand(isRootless);
  const nothing = openSync('/dev/null', 'r');
  const stdio = withoutInherited(['pipe', 'pipe', 'pipe'], nothing) as ['pipe', 'pipe', 'pipe'];
  const keeper = spawn(program, args, { cwd: '/', env: { PATH, LC_ALL: 'C' }, stdio });
  closeSync(nothing);
  return keeper;
}

/** What the keeper has said, filled in as it speaks. */
function hear(keeper: ChildProcessWithoutNullStreams, onLine: WallRun['onLine']) {
  const heard: { end?: WallEnd; problem: string } = { problem: '' };
  const complain = (text: string) => {
    heard.problem = `${heard.problem}\n${text}`.slice(-2000);
  };
  createInterface({ input: keeper.stdout }).on('line', (text) => {
    const line = JSON.parse(text) as KeeperLine;
    if ('said' in line) onLine(line.said);
    else if ('end' in line) heard.end = line.end;
    else complain(line.unavailable);
  });
  createInterface({ input: keeper.stderr }).on('line', complain);
  keeper.stdin.on('error', () => {});
  keeper.once('error', ({ message }) => complain(message));
  return heard;
}

/** Ours is its own mount namespace, and, where we are not root, a user namespace with the ids that /etc/subuid gives us. */
function keeperCommand(isRootless: boolean): [string, ...string[]] {
  const user = isRootless ? ['--user', '--map-root-user', '--map-auto'] : [];
  return [
    ...(['unshare', ...user, '--mount', '--propagation', 'private', '--'] as const),
    process.execPath,
    ...ownProgram('libs/images/cook/wall/keeper.main'),
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
