import { chown } from 'node:fs/promises';
import { CliError } from '../cli.errors.ts';
import { run } from './run.ts';

/** A command as `spawn` takes it. */
export interface Command {
  readonly command: string;
  readonly args: readonly string[];
}

/** Turns a command into one that runs as somebody else. */
export type RunAs = (command: string, args: readonly string[]) => Command;

/**
 * Hands `folder` to the system's user `user` and returns how to run commands as that user; PostgreSQL refuses to
 * run as root. Where a parent of `folder` is closed to others (a checkout under /root), the commands keep one
 * capability, to pass through folders, so nothing on the way needs to be opened to everybody.
 *
 * For a caller who is not root: everything runs as the caller.
 */
export async function runAs(user: string, folder: string): Promise<RunAs> {
  if (process.getuid?.() !== 0) return (command, args) => ({ command, args });
  const [uid, gid] = await Promise.all([idOf('-u', user), idOf('-g', user)]);
  await chown(folder, uid, gid);
  const identity = [`--reuid=${uid}`, `--regid=${gid}`, '--init-groups'];
  const direct = wrapper(identity);
  if (await canEnter(direct, folder)) return direct;
  const passing = wrapper([...identity, '--inh-caps=+dac_read_search', '--ambient-caps=+dac_read_search']);
  if (await canEnter(passing, folder)) return passing;
  throw new CliError(
    'not_installed',
    `The user ${user} cannot enter ${folder}. Set SERVERY_DATA_DIR to a folder whose parents others may pass through.`,
  );
}

function wrapper(options: readonly string[]): RunAs {
  return (command, args) => ({ command: 'setpriv', args: [...options, '--', command, ...args] });
}

async function canEnter(as: RunAs, folder: string): Promise<boolean> {
  // Not `test -x`: access(2) leaves capabilities out.
  const { command, args } = as('stat', [`${folder}/.`]);
  return run(command, args, 10).then(
    () => true,
    () => false,
  );
}

async function idOf(option: '-u' | '-g', user: string): Promise<number> {
  try {
    return Number(await run('id', [option, user], 10));
  } catch (cause) {
    throw new CliError('not_installed', `There is no user "${user}": is its Debian package installed?`, {
      cause,
    });
  }
}
