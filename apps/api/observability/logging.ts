import type { IncomingMessage } from 'node:http';
import type { Params } from 'nestjs-pino';
import type { Environment } from '#libs/config';
import { loggedError } from '#libs/database';

/** Paths in a log entry that may hold a secret. */
const secrets = [
  'authorization',
  'cookie',
  'password',
  'root_password',
  'user_data',
  'token',
  'req.headers.authorization',
  'req.headers.cookie',
  'req.headers["idempotency-key"]',
  'res.headers["set-cookie"]',
  '*.password',
  '*.root_password',
  '*.user_data',
  '*.token',
];

/** One JSON line for each request, without bodies; health checks are left out. */
export function loggingParams(environment: Environment): Params {
  return {
    pinoHttp: {
      level: environment.LOG_LEVEL,
      redact: { paths: secrets, censor: '[secret]' },
      customAttributeKeys: { reqId: 'requestId' },
      autoLogging: { ignore: (request: IncomingMessage) => /^\/(health|metrics)/.test(request.url ?? '') },
      serializers: {
        req: ({ id, method, url, remoteAddress }) => ({
          id,
          method,
          url: withoutSignature(url),
          remoteAddress,
        }),
        res: ({ statusCode }) => ({ statusCode }),
        err: loggedError,
      },
    },
  };
}

/** A signed link is a key for as long as it is valid. */
export function withoutSignature(url: string): string {
  return url.replace(/([?&]signature=)[^&]*/g, '$1[secret]');
}
