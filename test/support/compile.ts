import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Options, transformSync } from '@swc/core';

const require = createRequire(import.meta.url);
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/servery-swc', import.meta.url));
const OPTIONS: Options = {
  swcrc: false,
  sourceMaps: 'inline',
  module: { type: 'es6' },
  jsc: {
    target: 'es2024',
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
  },
};
const VERSION: string = require('@swc/core/package.json').version;

/** A source with decorators as JavaScript, as the tests compile it. What is compiled is kept by its content. */
export function compiled(filename: string): string {
  const source = readFileSync(filename, 'utf8');
  const key = createHash('sha256')
    .update(JSON.stringify([VERSION, OPTIONS, filename, source]))
    .digest('hex');
  const kept = join(CACHE, key);
  try {
    return readFileSync(kept, 'utf8');
  } catch {
    const swc = require('@swc/core') as { transformSync: typeof transformSync };
    const { code } = swc.transformSync(source, { ...OPTIONS, filename });
    const half = `${kept}.${randomUUID()}`;
    mkdirSync(CACHE, { recursive: true });
    writeFileSync(half, code);
    renameSync(half, kept);
    return code;
  }
}
