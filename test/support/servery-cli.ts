import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { bundled } from './bundle.ts';
import { testRedisUrl } from './redis.ts';

const run = promisify(execFile);
const MAIN = fileURLToPath(new URL('../../apps/cli/main.ts', import.meta.url));

/** The operator's command, each time a process of its own; gives what it printed. @throws with its error when it fails */
export function serveryCli(variables: () => Readonly<Record<string, string | undefined>>) {
  return async (...args: string[]): Promise<string> => {
    const { pathOf, environment } = await bundled([MAIN]);
    const { stdout } = await run(process.execPath, [pathOf(MAIN), ...args], {
      env: {
        ...environment,
        PATH: process.env.PATH,
        REDIS_URL: testRedisUrl(),
        SERVERY_URL: 'http://127.0.0.1:9',
        SERVERY_SECRET_KEY: Buffer.alloc(32, 7).toString('base64'),
        STRIPE_SECRET_KEY: 'sk_test_unused',
        STRIPE_WEBHOOK_SECRET: 'whsec_unused',
        ...variables(),
      },
    });
    return stdout;
  };
}
