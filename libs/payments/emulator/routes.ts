import { z } from 'zod';
import { expandObject } from './expand.ts';
import { check, type Form } from './form.ts';
import type { World } from './world.ts';

/** What a path names: `/v1/customers/:id/payment_methods/:child`. */
export interface PathIds {
  readonly id: string;
}

/** One endpoint of Stripe's that the emulator serves. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  /** Checks the form first, so that a refused request leaves nothing behind and is not remembered by its key. */
  readonly prepare: (form: Form) => (world: World, ids: PathIds) => object;
}

/** Ties a path to its parameters and its handler. */
export function route<S extends z.ZodObject>(
  method: Route['method'],
  path: string,
  schema: S,
  handle: (world: World, params: z.infer<S>, ids: PathIds) => object,
): Route {
  const prepare = (form: Form) => {
    const params = check(schema, form);
    const paths = 'expand' in params ? ((params as { expand?: string[] }).expand ?? []) : [];
    return (world: World, ids: PathIds) => expandObject(world, handle(world, params, ids), paths);
  };
  return { method, path, prepare };
}
