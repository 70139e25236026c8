import { randomBytes } from 'node:crypto';
import type { DynamicModule } from '@nestjs/common';
import type { LightMyRequestResponse } from 'fastify';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll } from 'vitest';
import { loadEnvironment } from '#libs/config';
import { type Api, createApi } from '../../apps/api/create-app.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { testRedisUrl } from '../support/redis.ts';
import { assertHetznerWireFormat } from './hetzner-wire-format.ts';

export interface TestRequest {
  readonly token?: string;
  readonly cookie?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  /** Where it comes from: one address may be wrong so often. */
  readonly remoteAddress?: string;
}

/** What opens `/metrics` of a test's API. */
export const METRICS_TOKEN = 'metrics-token-of-the-tests';

/** The whole API on a database of its own. Each answer is checked against Hetzner's document. */
export class TestApi {
  constructor(
    readonly api: Api,
    readonly database: TestDatabase,
    readonly origin: string,
  ) {}

  async request(method: string, path: string, options: TestRequest = {}): Promise<LightMyRequestResponse> {
    const { token, cookie, body, headers, remoteAddress } = options;
    const answer = await this.api.app.inject({
      method: method as 'GET',
      url: path,
      ...(remoteAddress === undefined ? {} : { remoteAddress }),
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(cookie === undefined ? {} : { cookie, origin: this.origin }),
        ...headers,
      },
      ...(body === undefined ? {} : { payload: body as object }),
    });
    assertHetznerWireFormat(method, path, answer.statusCode, answer.body);
    return answer;
  }

  get<T>(type: unknown): T {
    return this.api.app.get<T>(type as never, { strict: false });
  }

  get dataSource(): DataSource {
    return this.api.app.get(DataSource);
  }

  async close(): Promise<void> {
    await this.api.app.close();
    await this.database.drop();
  }
}

/** Gives a spec file an API of its own. `variables` add to its environment. */
export function testApi(
  adapt?: (module: DynamicModule) => DynamicModule,
  variables: Readonly<Record<string, string>> = {},
): { readonly current: TestApi } {
  let api: TestApi | undefined;
  beforeAll(async () => {
    const database = await createTestDatabase();
    const environment = loadEnvironment({
      NODE_ENV: 'test',
      LOG_LEVEL: 'fatal',
      DATABASE_URL: database.url,
      REDIS_URL: testRedisUrl(),
      SERVERY_URL: 'http://127.0.0.1:8080',
      SERVERY_SECRET_KEY: randomBytes(32).toString('base64'),
      SERVERY_METRICS_TOKEN: METRICS_TOKEN,
      STRIPE_SECRET_KEY: 'sk_test_unused',
      STRIPE_WEBHOOK_SECRET: 'whsec_unused',
      STRIPE_API_HOST: '127.0.0.1',
      STRIPE_API_PORT: '1',
      ...variables,
    });
    const created = await createApi(environment, adapt);
    await created.app.init();
    await created.app.getHttpAdapter().getInstance().ready();
    api = new TestApi(created, database, environment.SERVERY_URL);
  });
  afterAll(async () => {
    await api?.close();
  });
  return {
    get current() {
      if (!api) throw new Error('the API is there from beforeAll on');
      return api;
    },
  };
}
