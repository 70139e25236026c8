import { runTool } from '../run-tool.ts';

/** Writes a root whose packages are installed into a tar, for recipes that stand on it. */
export async function packRoot(rootDir: string, archive: string): Promise<void> {
  const shape = [
    // The sources of packages are those of who goes on from here.
    '--exclude=./etc/apt/sources.list',
    ...['--sort=name', '--numeric-owner', '--xattrs', '--xattrs-include=*', '--one-file-system'],
  ];
  const argv = ['tar', '--create', ...shape, '--directory', rootDir, '--file', archive, '.'] as const;
  await runTool([...argv]);
}
