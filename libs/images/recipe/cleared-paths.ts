/**
 * What the end of a cook takes out of each root, whoever put it there. Who scrubs and who says which files a recipe may have
 * both read it here. Paths begin at the root, without a slash.
 */
export const CLEARED = {
  /**
   * What a running or installing system leaves behind and a golden image must not hold: secrets that would be
   * the same on every server, traces of the machine that cooked it, and bytes that differ from cook to cook.
   */
  patterns: [
    'etc/ssh/ssh_host_*',
    'etc/*-',
    'etc/.pwd.lock',
    'etc/.resolv.conf.systemd-resolved.bak',
    'etc/hostname',
    'etc/apt/apt.conf.d/99mmdebstrap',
    'etc/dpkg/dpkg.cfg.d/99mmdebstrap',
    'var/cache/debconf/*-old',
    'var/lib/apt/extended_states',
    'var/lib/dpkg/*-old',
    'var/lib/dpkg/lock*',
    'var/lib/dpkg/triggers/Lock',
    'var/lib/systemd/random-seed',
    'var/lib/systemd/catalog/database',
  ],
  /** Folders that packages want to find, empty. */
  emptied: [
    'tmp',
    'run',
    'var/tmp',
    'var/cache/apt',
    'var/cache/ldconfig',
    'var/lib/apt/lists',
    'var/lib/cloud',
    'root/.cache',
  ],
  /** Folders whose own folders stay, without any file. */
  withoutFiles: ['var/log'],
} as const;
