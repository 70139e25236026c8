import { fileURLToPath } from 'node:url';
import swc from 'unplugin-swc';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Nest and TypeORM read the types of decorated members; only swc emits those. */
const decorators = swc.vite({
  jsc: {
    target: 'es2024',
    parser: { syntax: 'typescript', tsx: true, decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
  },
  module: { type: 'es6' },
});

const elsewhere = ['**/node_modules/**', '**/dist/**', '**/*.{lab,image,cook}.spec.ts'];

function project(
  name: string,
  include: string[],
  options: { exclude?: string[]; timeoutSeconds?: number; alone?: boolean } = {},
): TestProjectInlineConfiguration {
  // A bound on what hangs, not on what is slow: machines that run this may have a tenth of another's speed.
  const timeout = (options.timeoutSeconds ?? 180) * 1000;
  return {
    extends: true,
    test: {
      name,
      include,
      exclude: options.exclude ?? ['**/node_modules/**', '**/dist/**'],
      testTimeout: timeout,
      hookTimeout: timeout,
      fileParallelism: !(options.alone ?? false),
    },
  };
}

/** Files that take long by what they cook and boot, not by their size, which is what vitest takes for time in a fresh clone. */
const LONG = ['one-server.browser.spec.ts', 'cook-your-own.browser.spec.ts', 'cook.image.spec.ts'];

/** What takes long begins first, so that no worker waits for it in the end. */
class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification) => LONG.some((name) => moduleId.endsWith(name));
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

export default defineConfig({
  plugins: [decorators],
  oxc: false,
  resolve: {
    alias: [
      { find: /^#libs\/(.+)$/, replacement: fileURLToPath(new URL('libs/$1/index.ts', import.meta.url)) },
    ],
  },
  test: {
    environment: 'node',
    pool: 'forks',
    maxWorkers: 2,
    globalSetup: ['test/support/global-setup.ts'],
    setupFiles: ['test/support/setup.ts'],
    sequence: { sequencer: LongFirst },
    projects: [
      project('unit', ['{apps,libs,migrations,scripts}/**/*.spec.{ts,tsx}', 'test/*/**/*.spec.ts'], {
        exclude: [...elsewhere, 'test/{e2e,browser,chaos,lab}/**'],
      }),
      project('lab', ['{apps,libs,test/lab}/**/*.lab.spec.ts', 'test/lab/**/*.spec.ts'], {
        timeoutSeconds: 600,
        alone: true,
      }),
      project('image', ['{apps,libs,test}/**/*.image.spec.ts'], { timeoutSeconds: 1800 }),
      project('cooks', ['{apps,libs}/**/*.cook.spec.ts'], { timeoutSeconds: 1800, alone: true }),
      project('e2e', ['test/e2e/**/*.e2e.spec.ts'], { timeoutSeconds: 900, alone: true }),
      project('walks', ['test/{e2e,browser}/**/*.walk.spec.ts'], { timeoutSeconds: 900, alone: true }),
      project('browser', ['test/browser/**/*.browser.spec.ts'], { timeoutSeconds: 900 }),
      project('clock', ['test/browser/**/*.clock.spec.ts'], { timeoutSeconds: 900, alone: true }),
      project('chaos', ['test/chaos/**/*.spec.ts'], { timeoutSeconds: 900, alone: true }),
    ],
  },
});
