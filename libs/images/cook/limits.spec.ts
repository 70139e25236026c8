import { expect, it } from 'vitest';
import { limitsFor } from './limits.ts';

it('a build that may take longer may compute longer', () => {
  const minimum = { diskGib: 4 };
  expect(limitsFor({ minimum })).toMatchObject({ wallSeconds: 3600, cpuSeconds: 3600 });
  expect(limitsFor({ minimum }, { wallSeconds: 7200 })).toMatchObject({
    wallSeconds: 7200,
    cpuSeconds: 7200,
  });
  // Several processors compute more than an hour in it.
  expect(limitsFor({ minimum }, { wallSeconds: 300 })).toMatchObject({ wallSeconds: 300, cpuSeconds: 3600 });
});
