import { openBundles } from './bundle.ts';
import { startPostgres, type TestServer } from './postgres.ts';
import { startRedis } from './redis.ts';

/** Starts the servers that `TEST_DATABASE_URL` and `TEST_REDIS_URL` do not name, and stops those again. */
export default async function setup(): Promise<() => Promise<void>> {
  const started: TestServer[] = [];
  if (!process.env.TEST_DATABASE_URL) {
    const postgres = await startPostgres();
    process.env.TEST_DATABASE_URL = postgres.url;
    started.push(postgres);
  }
  if (!process.env.TEST_REDIS_URL) {
    const redis = await startRedis();
    process.env.TEST_REDIS_URL = redis.url;
    started.push(redis);
  }
  const bundles = await openBundles();
  return async () => {
    await bundles.remove();
    for (const server of started) await server.stop();
  };
}
