import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { testRedisUrl } from './redis.ts';

const run = promisify(execFile);
const main = fileURLToPath(new URL('../../dist/apps/cli/main.js', import.meta.url));

/** The operator's command as it runs in production; gives what it printed. @throws with its error when it fails */
export function builtCli(variables: () => Readonly<Record<string, string | undefined>>) {
  return async (...args: string[]): Promise<string> => {
    if (!existsSync(main)) throw new Error('the CLI is not built: npm run build:server');
    const { stdout } = await run(process.execPath, [main, ...args], {
      env: {
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
