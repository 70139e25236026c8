import fc from 'fast-check';
import { expect, it } from 'vitest';
import { countedAddress } from './index.ts';

/** Few words, so that runs of zeros and equal halves come up. */
const word = fc.oneof(fc.constantFrom(0, 1, 0xffff), fc.integer({ min: 0, max: 0xffff }));
const half = fc.array(word, { minLength: 4, maxLength: 4 });

/** The ways in which one address may be written. */
const spellings = (words: readonly number[]) => {
  const hex = words.map((each) => each.toString(16));
  const whole = hex.map((each) => each.padStart(4, '0')).join(':');
  const dotted = [words[6] ?? 0, words[7] ?? 0].flatMap((each) => [each >> 8, each & 255]).join('.');
  const short = new URL(`http://[${whole}]`).hostname.slice(1, -1);
  return [
    whole,
    whole.toUpperCase(),
    hex.join(':'),
    short,
    `${hex.slice(0, 6).join(':')}:${dotted}`,
    `${short}%eth0`,
  ];
};

it('IPv6 addresses count as one where their /64 is one, however they are written', () => {
  fc.assert(
    fc.property(half, half, half, (net, host, otherHost) => {
      fc.pre(net.some((each) => each !== 0));
      const counted = new Set(
        [...spellings([...net, ...host]), ...spellings([...net, ...otherHost])].map(countedAddress),
      );
      expect(counted.size).toBe(1);
    }),
  );
});

it('IPv6 addresses of two /64 count apart', () => {
  fc.assert(
    fc.property(half, half, half, (net, otherNet, host) => {
      fc.pre(net.join() !== otherNet.join());
      expect(countedAddress(spellings([...net, ...host])[0] ?? '')).not.toBe(
        countedAddress(spellings([...otherNet, ...host])[0] ?? ''),
      );
    }),
  );
});

it('IPv4 addresses count each by itself, mapped into IPv6 or not', () => {
  fc.assert(
    fc.property(fc.ipV4(), (address) => {
      const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number);
      const mapped = spellings([0, 0, 0, 0, 0, 0xffff, a * 256 + b, c * 256 + d]);
      expect(new Set([address, ...mapped].map(countedAddress))).toEqual(new Set([address]));
    }),
  );
});

it('what is no address counts as it is', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      fc.pre(!text.includes(':'));
      expect(countedAddress(text)).toBe(text);
    }),
  );
  expect(countedAddress('2001:db8::1:')).toBe('2001:db8::1:');
});
