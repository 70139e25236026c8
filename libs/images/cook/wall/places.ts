/** Where things are behind the wall. */
export const WITHIN = {
  /** The builder's disk. */
  work: '/work',
  /** The new root as it is written to the image. */
  root: '/work/root',
  /** The same root, with the devices and processes that packages look for: where they are installed. */
  install: '/install',
  /** Scratch files. */
  tmp: '/work/tmp',
} as const;

/** What a machine behind the wall is called. */
export const BUILDER_NAME = 'builder';
