import { createHash, randomUUID } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';
import { compiled } from './compile.ts';

/** Below node_modules, so that what stays outside a bundle is found. */
const FOLDERS = fileURLToPath(new URL('../../node_modules/.cache/servery-bundles', import.meta.url));
/** Packages that look for files of their own beside them or load others by name, and those that they share with us. */
const OUTSIDE = /^(@node-rs\/argon2|pg|pino|ssh2|typeorm)(\/|$)/;
const SOURCE = /^(?!.*\/node_modules\/).*\.ts$/;

export interface Bundle {
  /** The path of the module that a source has become. */
  pathOf(source: string): string;
  /** For the process that runs it; with it, what one has compiled the next one need not. */
  readonly environment: { readonly NODE_COMPILE_CACHE: string };
}

/** Makes the folder that a run of the tests keeps its bundles in. `remove` takes it away. */
export async function openBundles(): Promise<{ folder: string; remove(): Promise<void> }> {
  await mkdir(FOLDERS, { recursive: true });
  const folder = await mkdtemp(join(FOLDERS, 'run-'));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

/**
 * Sources, and all that they import, as a few files: a process loads those in a quarter of the time that it needs for
 * thousands of modules. Made once per run of the tests, for processes that are started over and over.
 */
export async function bundled(sources: readonly string[]): Promise<Bundle> {
  const run = process.env.TEST_BUNDLES ?? (await ownFolder());
  const folder = join(run, createHash('sha256').update(sources.join('\n')).digest('hex').slice(0, 12));
  if (!existsSync(folder)) await make(sources, folder);
  return {
    pathOf: (source) => join(folder, `${basename(source, '.ts')}.mjs`),
    environment: { NODE_COMPILE_CACHE: join(run, 'compiled') },
  };
}

let own: Promise<string> | undefined;

/** For a process that no run of vitest has given a folder. */
function ownFolder(): Promise<string> {
  own ??= openBundles().then(({ folder }) => {
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    return folder;
  });
  return own;
}

async function make(sources: readonly string[], folder: string): Promise<void> {
  const draft = `${folder}.${randomUUID()}`;
  const bundle = await rolldown({
    input: Object.fromEntries(sources.map((source) => [basename(source, '.ts'), source])),
    platform: 'node',
    external: OUTSIDE,
    resolve: { conditionNames: ['source', 'node', 'default'] },
    logLevel: 'silent',
    plugins: [{ name: 'sources', load: { filter: { id: SOURCE }, handler: load } }],
  });
  const names = { entryFileNames: '[name].mjs', chunkFileNames: '[name]-[hash].mjs' };
  await bundle.write({ dir: draft, format: 'esm', keepNames: true, ...names });
  await bundle.close();
  await rename(draft, folder).catch(async (error) => {
    // Another process was faster, with the same.
    if (!existsSync(folder)) throw error;
    await rm(draft, { recursive: true });
  });
}

/** A source that still finds its files where it lies itself. */
function load(path: string) {
  const code = compiled(path)
    .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href))
    .replaceAll('import.meta.filename', JSON.stringify(path))
    .replaceAll('import.meta.dirname', JSON.stringify(dirname(path)));
  return { code, moduleType: 'js' as const };
}
