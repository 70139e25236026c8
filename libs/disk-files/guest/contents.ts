import type { ByteSource } from '../byte-source.ts';
import { type BootWays, type FileSystem, findBoot, findFileSystems } from './find-boot.ts';
import { findGuest, type GuestSystem } from './find-guest.ts';

/** What lies on a disk, as far as we know our way in it. */
export interface DiskContents {
  readonly boot: BootWays;
  readonly fileSystems: readonly FileSystem[];
  readonly guest: GuestSystem | null;
}

export function contentsOf(disk: ByteSource): DiskContents {
  return { boot: findBoot(disk), fileSystems: findFileSystems(disk), guest: findGuest(disk) };
}
