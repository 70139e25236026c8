import { readFileSync } from 'node:fs';
import type { AgentExecResult } from '../port/guest-agent.ts';
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

/** What programs do to the CD drive of a guest, `sr0`: `dd` of its first bytes, and `cat` of its size in sectors. */
export function runOnDisc(argv: readonly string[], path: string | undefined): AgentExecResult | undefined {
  const [, how] = /^(of=|if=|)(?:\/dev\/|\/sys\/block\/)sr0(?:\/size)?$/.exec(argv[1] ?? '') ?? [];
  if (how === undefined) return undefined;
  if (path === undefined) return { exitCode: 1, stdout: '', stderr: 'No such file or directory' };
  if (how === 'of=') return { exitCode: 1, stdout: '', stderr: 'Read-only file system' };
  const bytes = readFileSync(path);
  const stdout = how === 'if=' ? bytes.toString('utf8', 0, 2048) : `${bytes.length / SECTOR_BYTES}\n`;
  return { exitCode: 0, stdout, stderr: '' };
}
