import { runTool } from '../run-tool.ts';

/** Runs a command inside an unpacked root. */
export function runInRoot(root: string, argv: readonly string[]): Promise<string> {
  return runTool(['chroot', '--', root, ...argv]);
}
