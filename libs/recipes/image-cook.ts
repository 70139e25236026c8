import type { ImageContents } from '#libs/images';
import type { Recipe } from '#libs/images/recipe';
import type { CookStage } from './cook.entity.ts';

/** What is to be cooked; everything of one cook goes by its id, so that repeating it finds its own work. */
export interface CookOrder {
  readonly cookId: number;
  readonly recipe: Recipe;
}

export interface CookWatch {
  readonly signal: AbortSignal;
  /** The stage `waiting` says that it waits for another cook: that time is not its own. */
  readonly onProgress: (progress: { stage: CookStage; percent: number; message: string }) => void;
  /** Each line that a tool prints. */
  readonly onLine: (line: string) => void;
}

/** Packages as the archive has them now, down to their bytes. */
export interface ChosenPackages {
  /** Of recipe, packages and the cook itself, 64 hex digits: what has the same has the same bytes. */
  readonly fingerprint: string;
  readonly packageCount: number;
}

/** A disk as it lies on this machine, whole. */
export interface CookedDisk {
  /** Absolute path of the qcow2 file. */
  readonly path: string;
  readonly sha256: string;
  readonly fingerprint: string;
  readonly fileSizeBytes: number;
  readonly virtualSizeBytes: number;
}

/**
 * Makes disks of recipes. A refusal that is final for a recipe (there is no such package, two cannot be together) is of
 * kind `invalid_input`, and its `fields` name what is wrong by name.
 */
export interface ImageCook {
  /** Asks which packages an image of it would get now. Nothing is downloaded. */
  choose(order: CookOrder, watch: CookWatch): Promise<ChosenPackages>;
  /** Cooks it, unless this cook's disk is there whole. A cook that fails, is killed or aborted leaves no half one. */
  cook(order: CookOrder, watch: CookWatch): Promise<CookedDisk>;
  /** What `cook` has made; undefined where nothing, or not all, is there. */
  find(cookId: number): Promise<CookedDisk | undefined>;
  /** What the papers beside the disk say. @throws where there is no disk */
  contents(cookId: number): Promise<ImageContents>;
  /** Removes all of a cook. Absent is success. */
  remove(cookId: number): Promise<void>;
  /** Ids of all cooks of which anything is here. */
  present(): Promise<readonly number[]>;
}
