import { applyDecorators, HttpCode, SerializeOptions, SetMetadata } from '@nestjs/common';
import type { z } from 'zod';

/**
 * Who may call an endpoint. `public`: anybody. `read`, `write`: a token or session of the project (a `read` token
 * may not `write`). `spend`: a session, or a token that was made to see the account's money, which is wider than a
 * project. `session`: a signed-in person, no token. `operator`: a signed-in operator.
 */
export type Access = 'public' | 'read' | 'write' | 'spend' | 'session' | 'operator';

export interface EndpointOptions {
  /** One line for the documentation. */
  readonly summary: string;
  readonly access: Access;
  /** The schema of the answer's body; none when there is no body. */
  readonly response?: z.ZodType;
  /** 200 with a response, 204 without, unless told. */
  readonly status?: number;
  /** What the audit calls it, after the kind of what it is done to: `server.create`. Changes without one fail a test. */
  readonly audit?: `${string}.${string}`;
  /** Creates something: an `Idempotency-Key` makes repeating the request harmless. */
  readonly idempotent?: boolean;
}

export const ENDPOINT = 'servery:endpoint';

/** Everything that the guards, the serializer and the OpenAPI document need to know of a route. */
export function Endpoint(options: EndpointOptions): MethodDecorator {
  const status = options.status ?? (options.response ? 200 : 204);
  const decorators = [SetMetadata(ENDPOINT, { ...options, status }), HttpCode(status)];
  if (options.response) decorators.push(SerializeOptions({ schema: options.response }));
  return applyDecorators(...decorators);
}
