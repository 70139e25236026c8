import { z } from 'zod';
import type { Stripe } from '../stripe/types.ts';
import { expand, integer, page, type ShapeOf, text } from './form.ts';
import { listPage } from './paging.ts';
import { invalid } from './problem.ts';
import { route } from './routes.ts';
import { stripeId, type World } from './world.ts';

const createShape = z.strictObject({
  frozen_time: integer,
  name: text.optional(),
  expand: expand.optional(),
} satisfies ShapeOf<Stripe.TestHelpers.TestClockCreateParams>);
const advanceShape = z.strictObject({
  frozen_time: integer,
  expand: expand.optional(),
} satisfies ShapeOf<Stripe.TestHelpers.TestClockAdvanceParams>);
const readShape = z.strictObject({ expand: expand.optional() });

type TestClock = Stripe.TestHelpers.TestClock;

/** A test clock is forgotten so long after it was made, with its customers. */
const KEPT_SECONDS = 30 * 86_400;
/** Stripe moves a clock no further at once: two intervals of the shortest subscription, or two years without one. */
const FURTHEST_SECONDS = 2 * 366 * 86_400;

function create(world: World, params: z.infer<typeof createShape>): TestClock {
  const clock = world.store.put('test_helpers.test_clock', {
    id: stripeId('clock'),
    object: 'test_helpers.test_clock',
    created: world.now(),
    deletes_after: world.now() + KEPT_SECONDS,
    frozen_time: params.frozen_time,
    livemode: false,
    name: params.name ?? null,
    status: 'ready',
    status_details: {},
  });
  world.emit('test_helpers.test_clock.created', clock);
  return clock;
}

/** Answers at once, while the clock moves: as with Stripe, ask until its `status` is `ready`. */
function advance(world: World, params: z.infer<typeof advanceShape>, { id }: { id: string }): TestClock {
  const clock = world.find('test_helpers.test_clock', id, 'test_clock');
  if (clock.status !== 'ready') throw invalid('The test clock is still advancing.');
  if (params.frozen_time <= clock.frozen_time) {
    throw invalid('The new frozen time must be after the current frozen time.', { param: 'frozen_time' });
  }
  if (params.frozen_time > clock.frozen_time + FURTHEST_SECONDS) {
    throw invalid('The clock cannot be advanced so far at once.', { param: 'frozen_time' });
  }
  const moving = world.store.put('test_helpers.test_clock', {
    ...clock,
    status: 'advancing',
    status_details: { advancing: { target_frozen_time: params.frozen_time } },
  });
  world.emit('test_helpers.test_clock.advancing', moving);
  return moving;
}

/** Marks a clock as arrived. */
export function finishClock(world: World, id: string): void {
  const clock = world.find('test_helpers.test_clock', id);
  const ready = world.store.put('test_helpers.test_clock', { ...clock, status: 'ready', status_details: {} });
  world.emit('test_helpers.test_clock.ready', ready);
}

/** Deleting a clock deletes its customers. */
function remove(world: World, _params: object, { id }: { id: string }): object {
  const clock = world.find('test_helpers.test_clock', id, 'test_clock');
  for (const customer of world.store.all('customer')) {
    if (customer.test_clock === id) world.store.drop('customer', customer.id);
  }
  world.store.drop('test_helpers.test_clock', id);
  world.emit('test_helpers.test_clock.deleted', clock);
  return { id, object: 'test_helpers.test_clock', deleted: true };
}

export const testClockRoutes = [
  route('POST', '/v1/test_helpers/test_clocks', createShape, create),
  route('GET', '/v1/test_helpers/test_clocks', z.strictObject(page), (world, params) =>
    listPage(world, 'test_helpers.test_clock', '/v1/test_helpers/test_clocks', params, () => true),
  ),
  route('GET', '/v1/test_helpers/test_clocks/:id', readShape, (world, _params, { id }) =>
    world.find('test_helpers.test_clock', id, 'test_clock'),
  ),
  route('POST', '/v1/test_helpers/test_clocks/:id/advance', advanceShape, advance),
  route('DELETE', '/v1/test_helpers/test_clocks/:id', z.strictObject({}), remove),
];
