import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Use } from '../../test/catalog/use.ts';

const run = promisify(execFile);

/** A push from here is in the next clone; there is no shell behind the repositories. */
export const use: Use = async (guest) => {
  await guest.must('new-repository thesis');
  const folder = await mkdtemp(join(tmpdir(), 'git-client-'));
  try {
    const ssh = `ssh ${guest.sshOptions.join(' ')}`;
    const author = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com'];
    const git = (...args: string[]) =>
      run('git', [...author, ...args], { cwd: folder, env: { ...process.env, GIT_SSH_COMMAND: ssh } });
    const url = 'git@127.0.0.1:thesis.git';
    await git('clone', '--quiet', url, 'one');
    await writeFile(join(folder, 'one/chapter'), 'It begins.\n');
    await git('-C', 'one', 'add', 'chapter');
    await git('-C', 'one', 'commit', '--quiet', '--message', 'The first chapter');
    await git('-C', 'one', 'push', '--quiet', 'origin', 'HEAD:main');
    await git('clone', '--quiet', url, 'two');
    const { stdout } = await git('-C', 'two', 'log', '--format=%s');
    if (stdout.trim() !== 'The first chapter') throw new Error(`the clone's log is ${stdout}`);
    const shell = await run('ssh', [...guest.sshOptions, 'git@127.0.0.1', 'id']).catch(
      (error: Error) => error,
    );
    if (!(shell instanceof Error)) throw new Error(`git has a shell: ${shell.stdout}`);
  } finally {
    await rm(folder, { recursive: true });
  }
};
