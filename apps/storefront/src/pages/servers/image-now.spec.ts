import { expect, it } from 'vitest';
import { imageNow, isOwnImage } from './image-now.ts';

const upgraded = { image: 9, version: 2, created: '2027-01-01T00:00:00Z' };

it.each([
  ['a product of the catalog', { id: 1, name: 'web' }, null, 'web', false],
  ['an image of their own, whose recipe is called as a product is', { id: 7, name: null }, null, '7', true],
  ['an image of their own that it was upgraded to', { id: 7, name: null }, upgraded, '9', true],
  ['an image that is gone', null, null, 'web', false],
] as const)('of %s', (_of, image, upgraded_to, now, isOwn) => {
  const server = { image, servery: { appliance: 'web', upgraded_to } };
  expect([imageNow(server), isOwnImage(server)]).toEqual([now, isOwn]);
});
