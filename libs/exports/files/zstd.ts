import { spawn } from 'node:child_process';
import { pipeline } from 'node:stream/promises';
import { exportFileError } from './export-file.errors.ts';

/**
 * Compresses a stream of known length by Debian's zstd, in one frame that tells the length and has a checksum.
 * What comes out does not depend on the number of processors. `zstd -d` makes holes again where there were some.
 * Not by node:zlib, which with more than one worker writes after the end of its stream (Node 24.21).
 */
export async function* zstd(source: AsyncIterable<Buffer>, sizeBytes: number): AsyncGenerator<Buffer> {
  const options = ['-q', '-c', '-3', '-T2', '--check', `--stream-size=${sizeBytes}`];
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', 'zstd', ...options], {
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C.UTF-8' },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const ended = new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(127));
    child.once('close', resolve);
  });
  const fed = pipeline(source, child.stdin).then(
    () => undefined,
    (error: unknown) => error,
  );
  try {
    yield* child.stdout as AsyncIterable<Buffer>;
    const code = await ended;
    if (code === 127) throw exportFileError('export_tool_missing', 'Install zstd: it is missing.');
    if (code !== 0) throw exportFileError('export_tool_failed', `zstd ended with ${code}.`);
    const error = await fed;
    if (error !== undefined) throw error;
  } finally {
    child.kill('SIGKILL');
  }
}
