import { expect, it } from 'vitest';
import { urlHost } from './index.ts';

it.each([
  ['redis://[::1]:6379/0', '::1'],
  ['https://[2001:db8::1]/', '2001:db8::1'],
  ['redis://127.0.0.1:6379', '127.0.0.1'],
  ['https://example.org/[x]', 'example.org'],
])('the host of %s is %s', (url, host) => {
  expect(urlHost(new URL(url))).toBe(host);
});
