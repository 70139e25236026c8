import { type ExecutionContext, RequestMethod, type Type } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA, ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { MetadataScanner, type ModulesContainer } from '@nestjs/core';
import type { z } from 'zod';
import { ENDPOINT, type EndpointOptions } from './endpoint.ts';

export interface EndpointMetadata extends EndpointOptions {
  readonly status: number;
}

export interface EndpointParameter {
  readonly place: 'body' | 'query' | 'path';
  readonly schema: z.ZodType;
}

/** One route of a controller with all that was declared of it. */
export interface DescribedEndpoint extends EndpointMetadata {
  /** The handler's name, unique per controller: `list`, `create`. */
  readonly name: string;
  /** The controller's name without "Controller". */
  readonly group: string;
  readonly method: string;
  /** `/v1/servers/:id` */
  readonly path: string;
  readonly parameters: readonly EndpointParameter[];
}

/** Nest's numbers of the kinds of a handler's parameters. */
const places: Readonly<Record<string, EndpointParameter['place'] | 'unchecked'>> = {
  3: 'body',
  4: 'query',
  5: 'path',
};

export function endpointOf(context: ExecutionContext): EndpointMetadata {
  const endpoint: EndpointMetadata | undefined = Reflect.getMetadata(ENDPOINT, context.getHandler());
  if (!endpoint) throw new Error(`${context.getClass().name}.${context.getHandler().name} has no @Endpoint`);
  return endpoint;
}

/**
 * Every endpoint of the app. Called at start, so that an app with an undeclared endpoint or an unchecked
 * parameter does not start.
 * @throws Error for a handler without `@Endpoint`, or with a body, query or path parameter without a schema.
 */
export function describeEndpoints(modules: ModulesContainer): DescribedEndpoint[] {
  const controllers = [...modules.values()].flatMap((module) => [...module.controllers.values()]);
  return controllers.flatMap(({ metatype }) => {
    if (typeof metatype !== 'function') return [];
    const controller = metatype as Type;
    const handlers = new MetadataScanner().getAllMethodNames(controller.prototype);
    return handlers
      .filter((name) => Reflect.hasMetadata(METHOD_METADATA, controller.prototype[name]))
      .flatMap((name) => describe(controller, name));
  });
}

/** One for each path that the controller stands at. */
function describe(controller: Type, name: string): DescribedEndpoint[] {
  const handler: object = controller.prototype[name];
  const endpoint: EndpointMetadata | undefined = Reflect.getMetadata(ENDPOINT, handler);
  if (!endpoint) throw new Error(`${controller.name}.${name} has no @Endpoint`);
  const method = RequestMethod[Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod];
  const prefixes = [Reflect.getMetadata(PATH_METADATA, controller)].flat() as string[];
  const suffix: string = Reflect.getMetadata(PATH_METADATA, handler);
  const group = controller.name.replace(/Controller$/, '');
  const parameters = parametersOf(controller, name);
  return prefixes.map((prefix) => ({
    ...endpoint,
    name,
    group,
    method,
    path: joined(prefix, suffix),
    parameters,
  }));
}

function joined(...parts: readonly string[]): string {
  return `/${parts
    .flatMap((part) => part.split('/'))
    .filter((part) => part !== '')
    .join('/')}`;
}

function parametersOf(controller: Type, name: string): EndpointParameter[] {
  const declared: Record<string, { schema?: z.ZodType }> =
    Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, name) ?? {};
  return Object.entries(declared).flatMap(([key, { schema }]) => {
    const place = places[key.split(':', 1)[0] ?? ''];
    if (place === undefined || place === 'unchecked') return [];
    if (!schema) throw new Error(`a ${place} parameter of ${controller.name}.${name} has no schema`);
    return [{ place, schema }];
  });
}
