import type { FastifyInstance } from 'fastify';

/** The route that takes what no other one takes. */
export const ANY_PATH = '/*';

export interface Route {
  readonly method: string;
  /** As registered: `/v1/servers/:id`. */
  readonly url: string;
}

/** Every route that Fastify has, in the order of registration. */
export class RouteTable {
  readonly routes: Route[] = [];

  /** Listens to registrations; call it before the first route is registered. */
  watch(fastify: FastifyInstance): void {
    fastify.addHook('onRoute', ({ method, url }) => {
      for (const one of [method].flat()) this.routes.push({ method: one, url });
    });
  }

  /** Methods with which the path of a request URL could be called. */
  methodsOf(requestUrl: string): string[] {
    const path = requestUrl.split('?', 1)[0] ?? '';
    const found = this.routes.filter(({ url }) => url !== ANY_PATH && patternOf(url).test(path));
    return [...new Set(found.map(({ method }) => method))].sort();
  }
}

function patternOf(url: string): RegExp {
  const parts = url
    .split('/')
    .map((part) => (part.startsWith(':') ? '[^/]+' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')));
  return new RegExp(`^${parts.join('/')}/?$`);
}
