import { spawn } from 'node:child_process';
import { exportFileError, noSpace, refuseCancelled } from './export-file.errors.ts';

export interface QemuImgOptions {
  readonly signal?: AbortSignal | undefined;
  /** What qemu-img says to have done, 0 to 100. */
  readonly onPercent?: ((percent: number) => void) | undefined;
}

const REMEMBERED_CHARACTERS = 4000;
/** No secret of ours, and messages that can be read. */
const ENVIRONMENT = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C.UTF-8' };

/**
 * Runs qemu-img and returns what it printed. It is given no time limit, for disks have none; the signal ends it.
 * `setpriv --pdeathsig` lets it die with us, even when we are killed by force.
 * @throws DomainError `export_no_space`, `export_cancelled`, `export_tool_missing`, `export_tool_failed`
 */
export async function qemuImg(args: readonly string[], options: QemuImgOptions = {}): Promise<string> {
  refuseCancelled(options.signal);
  return new Promise((resolve, reject) => {
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', 'qemu-img', ...args], {
      env: ENVIRONMENT,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let printed = '';
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      const text = chunk.toString();
      const percent = [...text.matchAll(/\((\d+\.\d+)\/100%\)/g)].at(-1)?.[1];
      if (percent !== undefined) options.onPercent?.(Number(percent));
      else printed += text;
    });
    child.stderr.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-REMEMBERED_CHARACTERS);
    });
    const cancel = () => child.kill('SIGKILL');
    options.signal?.addEventListener('abort', cancel, { once: true });
    child.once('error', (cause) =>
      reject(exportFileError('export_tool_missing', 'Install util-linux: setpriv cannot be run.', { cause })),
    );
    child.once('close', (code) => {
      options.signal?.removeEventListener('abort', cancel);
      if (options.signal?.aborted) reject(exportFileError('export_cancelled', 'The export was cancelled.'));
      else if (code === 0) resolve(printed);
      else reject(failure(args, code, said.trim()));
    });
  });
}

/** qemu-img has one exit code for all failures; the system's own words tell a full disk from the others. */
function failure(args: readonly string[], code: number | null, said: string): Error {
  if (/No space left on device|Disk quota exceeded/.test(said)) return noSpace();
  if (code === 127) return exportFileError('export_tool_missing', 'Install qemu-utils: qemu-img is missing.');
  const message = `qemu-img ${args[0]} ended with ${code}.`;
  return exportFileError('export_tool_failed', message, { details: { said } });
}
