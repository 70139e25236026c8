import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Logger } from 'nestjs-pino';
import { loadEnvironment } from '#libs/config';
import { createDataSource } from '#libs/database';
import { installationId } from '#libs/placement';
import { workerModule } from './worker.module.ts';

const environment = loadEnvironment();
const app = await NestFactory.create<NestFastifyApplication>(
  workerModule(environment, await readInstallationId()),
  new FastifyAdapter(),
  { bufferLogs: true, abortOnError: false },
);
app.useLogger(app.get(Logger));
// A worker that has drained has done well: it exits with 0, and the last lines of its log are written.
app.enableShutdownHooks([], { useProcessExit: true });
await app.listen(environment.SERVERY_WORKER_PORT, environment.SERVERY_HOST);

/** The hypervisor drivers want it before anything of the app exists. */
async function readInstallationId(): Promise<string> {
  const dataSource = await createDataSource(environment.DATABASE_URL, { poolSize: 1 }).initialize();
  try {
    return await installationId(dataSource);
  } finally {
    await dataSource.destroy();
  }
}
