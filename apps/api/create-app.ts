import 'reflect-metadata';
import cookie from '@fastify/cookie';
import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Logger } from 'nestjs-pino';
import type { Environment } from '#libs/config';
import { newUuid } from '#libs/kernel';
import { appModule } from './app.module.ts';
import { addBodyParser, BODY_LIMIT_BYTES } from './http/body-parser.ts';
import { answerFrameworkError } from './http/framework-errors.ts';
import { closeAfterLastAnswers } from './http/last-answers.ts';
import { RouteTable } from './http/route-table.ts';
import { addSecurityHeaders } from './http/security-headers.ts';
import { trustedProxies } from './http/trusted-proxies.ts';
import { HttpMetrics } from './observability/http-metrics.ts';
import { serveStorefront } from './storefront/storefront.ts';
import { addStreamedBodies } from './uploads/streamed-bodies.ts';

export interface Api {
  readonly app: NestFastifyApplication;
  readonly routes: RouteTable;
}

/** The API, ready to listen. `adapt` lets a test change the module. */
export async function createApi(
  environment: Environment,
  adapt: (module: DynamicModule) => DynamicModule = (module) => module,
): Promise<Api> {
  const adapter = new FastifyAdapter({
    genReqId: () => newUuid(),
    trustProxy: trustedProxies(environment),
    bodyLimit: BODY_LIMIT_BYTES,
    frameworkErrors: answerFrameworkError,
    forceCloseConnections: 'idle',
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 255 },
  });
  const fastify = adapter.getInstance();
  const routes = new RouteTable();
  const metrics = new HttpMetrics();
  routes.watch(fastify);
  metrics.watch(fastify);
  addSecurityHeaders(fastify, environment.SERVERY_URL);
  addBodyParser(fastify);
  closeAfterLastAnswers(fastify);
  await addStreamedBodies(fastify);
  await fastify.register(cookie);
  const storefront = environment.SERVERY_STOREFRONT_DIR;
  if (storefront !== undefined) await serveStorefront(fastify, storefront);

  const app = await NestFactory.create<NestFastifyApplication>(
    adapt(appModule({ environment, metrics, routes })),
    adapter,
    { bodyParser: false, bufferLogs: true, abortOnError: false },
  );
  app.useLogger(app.get(Logger));
  // Requests in progress are answered first; then it exits with 0, and the last lines of its log are written.
  app.enableShutdownHooks([], { useProcessExit: true });
  return { app, routes };
}
