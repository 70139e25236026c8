import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from './sources.ts';

/** The last command of a script, which hands over to a program's source. */
const HANDS_OVER = /^exec (\$AS_ROOT_WITH_ENV node (?:[^\n]|\\\n)* "?test\/(?:[^\n]|\\\n)*)$/m;

interface Start {
  readonly script: string;
  readonly command: string;
  /** For the script whose argument is the program's name. */
  readonly name: string;
}

const scripts = await Promise.all(
  (await readdir(join(root, 'scripts')))
    .filter((file) => file.endsWith('.sh'))
    .map(async (script) => ({ script, text: await readFile(join(root, 'scripts', script), 'utf8') })),
);
const benches = (await readdir(join(root, 'test/bench')))
  .filter((file) => file.endsWith('.bench.ts'))
  .map((file) => file.replace('.bench.ts', ''));
const starts: Start[] = scripts.flatMap(({ script, text }) => {
  const command = HANDS_OVER.exec(text)?.[1];
  if (command === undefined) return [];
  const names = command.includes('$name') ? benches : [''];
  return names.map((name) => ({ script, command, name }));
});

/** Ends by what it says of an option that it does not know, so nothing is begun. */
function startWithNonsense({ command, name }: Start): Promise<{ isFine: boolean; said: string }> {
  return new Promise((resolve) => {
    const env = { ...process.env, NODE_OPTIONS: '', AS_ROOT_WITH_ENV: '', name };
    const options = { cwd: root, env, timeout: 120_000 };
    execFile('sh', ['-c', command, 'sh', '--nonsense'], options, (error, stdout, stderr) =>
      resolve({ isFine: error === null, said: stdout + stderr }),
    );
  });
}

describe('the programs that scripts start from their source', () => {
  it('are all found', () => {
    expect(new Set(starts.map(({ script }) => script))).toEqual(
      new Set(['bench.sh', 'catalog-verify.sh', 'fuzz.sh', 'lab.sh', 'test.sh']),
    );
  });

  it.each(starts)('$script $name comes as far as its arguments', async (start) => {
    const { isFine, said } = await startWithNonsense(start);
    expect(isFine).toBe(false);
    expect(said).toMatch(/(unknown option|no suite|has no) '?--nonsense/i);
  });
});
