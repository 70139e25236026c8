import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

const exec = promisify(execFile);
const root = resolve(import.meta.dirname, '../..');

const report = z.object({
  summary: z.object({
    totalCruised: z.int(),
    violations: z.array(z.object({ from: z.string(), to: z.string(), rule: z.object({ name: z.string() }) })),
  }),
});

/** What dependency-cruiser finds in `folder` under our rules. */
async function cruise(folder: string, places: string[]) {
  const program = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
  const config = join(root, '.dependency-cruiser.mjs');
  const args = [program, '--config', config, '--output-type', 'json', ...places];
  const options = { cwd: folder, maxBuffer: 256 * 1024 * 1024 };
  const { stdout } = await exec(process.execPath, args, options).catch((error: { stdout?: string }) => {
    if (!error.stdout) throw error;
    return { stdout: error.stdout };
  });
  return report.parse(JSON.parse(stdout)).summary;
}

/** A tree in which every import is allowed. */
const sound: Record<string, string> = {
  'package.json': JSON.stringify({
    type: 'module',
    imports: { '#libs/*': { source: './libs/*/index.ts', default: './dist/libs/*/index.js' } },
    dependencies: {
      stripe: '1',
      bullmq: '1',
      ioredis: '1',
      nodemailer: '1',
      pg: '1',
      ssh2: '1',
      '@tus/server': '1',
      ws: '1',
    },
    devDependencies: { vite: '1' },
  }),
  'tsconfig.json': JSON.stringify({
    compilerOptions: { module: 'nodenext', moduleResolution: 'nodenext', customConditions: ['source'] },
  }),
  ...Object.fromEntries(
    ['stripe', 'bullmq', 'ioredis', 'nodemailer', 'pg', 'ssh2', '@tus/server', 'vite', 'ws'].flatMap(
      (name) => [
        [`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', main: 'index.js' })],
        [`node_modules/${name}/index.js`, 'module.exports = {};'],
      ],
    ),
  ),
  'libs/kernel/index.ts': "export * from './ids.ts';",
  'libs/kernel/ids.ts': 'export const id = 1;',
  'libs/contracts/index.ts': "export { id } from '#libs/kernel';",
  'libs/config/index.ts': "export { id } from '#libs/kernel';",
  'libs/database/index.ts': "import 'pg'; export { id } from '#libs/kernel';",
  'libs/queue/index.ts': "import 'bullmq'; export { id } from '#libs/kernel';",
  'libs/hypervisor/index.ts': "export { id } from '#libs/kernel';",
  'libs/hypervisor/libvirt/index.ts': "import 'node:child_process'; export { id } from '#libs/hypervisor';",
  'libs/payments/index.ts': "export { id } from '#libs/kernel';",
  'libs/payments/stripe/index.ts': "import 'stripe'; export { id } from '#libs/payments';",
  'libs/mail/index.ts': "export { id } from '#libs/kernel';",
  'libs/mail/smtp/index.ts': "import 'nodemailer'; export { id } from '#libs/mail';",
  'libs/orders/index.ts': "export { id } from './orders.service.ts';",
  'libs/orders/orders.service.ts': "export { id } from '#libs/database';",
  'libs/servers/index.ts': "export { id } from '#libs/orders';",
  'libs/workflows/index.ts': "export { id } from '#libs/servers';",
  'apps/api/main.ts': "import '#libs/workflows'; import '#libs/payments/stripe';",
  'apps/worker/main.ts': "import '#libs/workflows'; import '#libs/hypervisor/libvirt';",
  'apps/storefront/main.tsx': "import '#libs/contracts'; import '#libs/kernel';",
};

/** One file each that breaks one rule. */
const planted: [rule: string, file: string, text: string][] = [
  ['no-cycles', 'libs/orders/a.ts', "import './b.ts'; export const a = 1;"],
  ['resolvable', 'libs/orders/lost.ts', "import '#libs/nowhere';"],
  ['kernel-stands-alone', 'libs/kernel/bad.ts', "import '#libs/contracts';"],
  ['kernel-stands-alone', 'libs/kernel/vendor.ts', "import 'pg';"],
  ['contracts-know-the-kernel-alone', 'libs/contracts/bad.ts', "import '#libs/database';"],
  ['contracts-know-the-kernel-alone', 'libs/config/bad.ts', "import '#libs/contracts';"],
  ['base-below-features', 'libs/queue/bad.ts', "import '#libs/orders';"],
  [
    'base-below-features',
    'libs/payments/bad.ts',
    "import type { id } from '#libs/orders'; export type X = typeof id;",
  ],
  ['features-below-workflows', 'libs/orders/bad.ts', "import '#libs/workflows';"],
  ['workflows-below-apps', 'libs/workflows/bad.ts', "import '../../apps/worker/main.ts';"],
  ['apps-stand-apart', 'apps/api/bad.ts', "import '../worker/main.ts';"],
  ['libs-by-their-face', 'libs/servers/bad.ts', "import '../orders/orders.service.ts';"],
  ['libs-by-their-face-from-apps', 'apps/api/deep.ts', "import '../../libs/orders/orders.service.ts';"],
  ['drivers-in-the-worker', 'apps/api/driver.ts', "import '#libs/hypervisor/libvirt';"],
  ['drivers-in-the-worker', 'libs/workflows/driver.ts', "import '#libs/hypervisor/libvirt';"],
  ['storefront-uses-the-api-alone', 'apps/storefront/bad.tsx', "import '#libs/orders';"],
  ['nothing-imports-tests', 'libs/orders/uses-test.ts', "import './x.spec.ts';"],
  ['no-development-packages-at-run-time', 'libs/orders/dev.ts', "import 'vite';"],
  ['queue-in-its-adapter', 'libs/orders/queue.ts', "import 'ioredis';"],
  ['stripe-in-its-adapter', 'libs/orders/stripe.ts', "import 'stripe';"],
  ['stripe-in-its-adapter', 'apps/api/lazy.ts', "export const stripe = () => import('stripe');"],
  ['postgres-in-its-adapter', 'libs/servers/pg.ts', "import 'pg';"],
  ['tus-in-its-adapter', 'libs/imports/tus.ts', "import '@tus/server';"],
  ['websockets-in-its-adapter', 'apps/api/ws.ts', "import 'ws';"],
  ['mail-in-its-adapter', 'apps/api/mail.ts', "import 'nodemailer';"],
  ['base-below-features', 'libs/mail/bad.ts', "import '#libs/orders';"],
  ['ssh-in-its-adapter', 'libs/servers/ssh.ts', "import 'ssh2';"],
  ['programs-run-by-adapters', 'libs/servers/run.ts', "import 'node:child_process';"],
];

async function plant(folder: string, files: Record<string, string>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

describe('import rules', () => {
  let folder = '';
  let caught: Awaited<ReturnType<typeof cruise>>['violations'] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'architecture-'));
    await plant(folder, sound);
    expect((await cruise(folder, ['apps', 'libs'])).violations).toEqual([]);
    await plant(folder, {
      'libs/orders/b.ts': "import './a.ts'; export const b = 1;",
      'libs/orders/x.spec.ts': 'export {};',
      ...Object.fromEntries(planted.map(([, file, text]) => [file, text])),
    });
    caught = (await cruise(folder, ['apps', 'libs'])).violations;
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each(planted)('%s catches %s', (rule, file) => {
    expect(caught.filter((one) => one.from === file).map((one) => one.rule.name)).toContain(rule);
  });

  it('each has a violation planted here', async () => {
    const config: { default: { forbidden: { name: string }[] } } = await import(
      join(root, '.dependency-cruiser.mjs')
    );
    const names = config.default.forbidden.map((rule) => rule.name);
    expect(names.toSorted()).toEqual([...new Set(planted.map(([rule]) => rule))].toSorted());
  });

  it('hold in this repository', async () => {
    const { violations, totalCruised } = await cruise(root, ['apps', 'libs', 'migrations']);
    expect(totalCruised).toBeGreaterThan(100);
    expect(violations.map((one) => `${one.rule.name}: ${one.from} → ${one.to}`)).toEqual([]);
  });
});
