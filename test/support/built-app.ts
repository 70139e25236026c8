import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { freePort } from './ports.ts';
import { testRedisUrl } from './redis.ts';

/** An app as it runs in production: compiled, in a process of its own. */
export interface BuiltApp {
  readonly process: ChildProcess;
  readonly url: string;
  /** Sends the signal that asks a process to end. Resolves with its exit code, or the signal that killed it. */
  stop(): Promise<number | NodeJS.Signals | null>;
}

/** Starts `dist/apps/<name>/main.js`; `variables` add to an environment that is complete but for them. */
export async function startBuilt(
  name: 'api' | 'worker',
  variables: Readonly<Record<string, string>> & { readonly DATABASE_URL: string },
): Promise<BuiltApp> {
  const main = fileURLToPath(new URL(`../../dist/apps/${name}/main.js`, import.meta.url));
  if (!existsSync(main)) throw new Error(`the ${name} is not built: npm run build:server`);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(process.execPath, [main], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      PATH: process.env.PATH,
      LOG_LEVEL: 'error',
      REDIS_URL: testRedisUrl(),
      SERVERY_URL: url,
      [name === 'api' ? 'SERVERY_PORT' : 'SERVERY_WORKER_PORT']: String(port),
      SERVERY_SECRET_KEY: randomBytes(32).toString('base64'),
      STRIPE_SECRET_KEY: 'sk_test_unused',
      STRIPE_WEBHOOK_SECRET: 'whsec_unused',
      STRIPE_API_HOST: '127.0.0.1',
      STRIPE_API_PORT: '1',
      ...variables,
    },
  });
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  return {
    process: child,
    url,
    stop: async () => {
      child.kill('SIGTERM');
      const [code, signal] = await exited;
      return code ?? signal;
    },
  };
}
