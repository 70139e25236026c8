import { z } from 'zod';
import type { Stripe } from '../stripe/types.ts';
import { expand, page, range, type ShapeOf, text } from './form.ts';
import { EVENTS_KEPT_SECONDS } from './housekeeping.ts';
import { isWithin, listPage } from './paging.ts';
import { route } from './routes.ts';

const listShape = z.strictObject({
  ...page,
  type: text.optional(),
  types: z.array(text).max(20).optional(),
  created: range.optional(),
} satisfies ShapeOf<Stripe.EventListParams>);

export const eventRoutes = [
  route('GET', '/v1/events', listShape, (world, params) =>
    listPage(
      world,
      'event',
      '/v1/events',
      params,
      (event) =>
        event.created > world.now() - EVENTS_KEPT_SECONDS &&
        (params.type === undefined || event.type === params.type) &&
        (params.types === undefined || params.types.includes(event.type)) &&
        isWithin(event.created, params.created),
    ),
  ),
  route('GET', '/v1/events/:id', z.strictObject({ expand: expand.optional() }), (world, _params, { id }) =>
    world.find('event', id),
  ),
];
