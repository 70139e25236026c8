import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { CliError } from '../cli.errors.ts';
import { logPath } from './daemon.ts';

export interface LabCommand {
  /** The root of the checkout, where the lab's program lies. */
  readonly root: string;
  /** The data folder: the lab lives in `<folder>/lab`. */
  readonly folder: string;
  readonly args: readonly string[];
  readonly timeoutSeconds: number;
  readonly onLine?: (line: string) => void;
}

/**
 * Runs a command of the lab and returns what it printed; what it reports meanwhile goes to `<folder>/log/lab.log`.
 * @throws CliError `command_failed` with its last line.
 */
export async function lab(command: LabCommand): Promise<string> {
  await mkdir(join(command.folder, 'log'), { recursive: true });
  const log = createWriteStream(logPath(command.folder, 'lab'), { flags: 'a', mode: 0o600 });
  const main = join(command.root, 'test/lab/main.ts');
  const options = ['--conditions=source', '--disable-warning=ExperimentalWarning'];
  const child = spawn(
    process.execPath,
    [...options, main, ...command.args, '--folder', join(command.folder, 'lab')],
    {
      cwd: command.root,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: command.timeoutSeconds * 1000,
      killSignal: 'SIGKILL',
    },
  );
  let output = '';
  let lastLine = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
  });
  createInterface({ input: child.stderr }).on('line', (line) => {
    lastLine = line;
    log.write(`${line}\n`);
    command.onLine?.(line);
  });
  const code = await new Promise<number | null>((resolve, reject) =>
    child.once('close', resolve).once('error', reject),
  ).finally(() => log.end());
  if (code === 0) return output;
  const why = code === null ? `no end within ${command.timeoutSeconds} s` : lastLine;
  throw new CliError('command_failed', `lab ${command.args[0]}: ${why}`, {
    log: logPath(command.folder, 'lab'),
  });
}
