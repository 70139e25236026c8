import type { AgentExecResult } from '../port.ts';
import type { SimulatedVolume } from './simulated-fleet.ts';

const SECTOR_BYTES = 512;
const FIRST_LETTER = 'a'.charCodeAt(0);

/**
 * What programs do to the volumes of a guest, which Linux calls `sda`, `sdb`… in their order: `dd` to and from one, and
 * `cat` of its size in sectors. Undefined for everything else. `volume` is what was written, where something was.
 */
export function runOnBlocks(
  argv: readonly string[],
  input: string,
  volumes: readonly SimulatedVolume[],
): { readonly result: AgentExecResult; readonly volume?: SimulatedVolume } | undefined {
  const [, how, letter] =
    /^(of=|if=|)(?:\/dev\/|\/sys\/block\/)sd([a-z])(?:\/size)?$/.exec(argv[1] ?? '') ?? [];
  if (letter === undefined) return undefined;
  const volume = volumes[letter.charCodeAt(0) - FIRST_LETTER];
  if (!volume) return { result: { exitCode: 1, stdout: '', stderr: 'No such file or directory' } };
  const printed = (stdout: string) => ({ exitCode: 0, stdout, stderr: '' });
  if (how === 'of=') return { result: printed(''), volume: { ...volume, content: input } };
  if (how === 'if=') return { result: printed(volume.content ?? '') };
  return { result: printed(`${volume.capacityBytes / SECTOR_BYTES}\n`) };
}
