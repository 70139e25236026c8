import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { testDatabase } from '../../test/support/test-database.ts';
import {
  addAddresses,
  addressPools,
  claimAddress,
  inheritAddress,
  releaseAddress,
  removeAddresses,
} from './address-pool.ts';
import { assertInNetwork, parseAddressRun } from './address-run.ts';

const octets = fc.tuple(fc.nat(223), fc.nat(255), fc.nat(255), fc.nat(255));
const refused = { code: 'address_run_invalid' };

describe('a run of addresses', () => {
  it('is read from its first and last one', () => {
    expect(parseAddressRun('203.0.113.10')).toEqual({ firstIp: '203.0.113.10', count: 1 });
    expect(parseAddressRun('10.0.0.250 - 10.0.1.4')).toEqual({ firstIp: '10.0.0.250', count: 11 });
    fc.assert(
      fc.property(octets, fc.nat(65_535), ([a, b, c, d], more) => {
        const last = ((a * 256 + b) * 256 + c) * 256 + d + more;
        const text = [24, 16, 8, 0].map((shift) => Math.floor(last / 2 ** shift) % 256).join('.');
        const firstIp = `${a}.${b}.${c}.${d}`;
        expect(parseAddressRun(`${firstIp}-${text}`)).toEqual({ firstIp, count: more + 1 });
      }),
    );
  });

  it.each([
    '',
    '-',
    '10.0.0',
    '10.0.0.256',
    '10.0.0.1-',
    '10.0.0.1-10.0.0.2-10.0.0.3',
    '010.0.0.1',
    '::1',
    '10.0.0.0/24',
  ])('is refused when it is "%s"', (text) =>
    expect(() => parseAddressRun(text)).toThrow(expect.objectContaining(refused)),
  );

  it('is never read from anything else', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          expect(parseAddressRun(text).count).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toMatchObject(refused);
        }
      }),
    );
  });

  it.each([
    ['backwards', '10.0.0.9-10.0.0.8'],
    ['more than 65,536', '10.0.0.0-10.1.0.0'],
  ])('is refused when it is %s', (_, text) => {
    expect(() => parseAddressRun(text)).toThrow(expect.objectContaining(refused));
  });

  it.each([
    ['out of the network', '10.0.1.5', 24, '10.0.0.1', 'in the network'],
    ['over its end', '10.0.0.250-10.0.1.2', 24, '10.0.0.1', 'in the network'],
    ['with its own address', '10.0.0.0-10.0.0.9', 24, '10.0.0.10', '10.0.0.0'],
    ['with its broadcast address', '10.0.0.255', 24, '10.0.0.1', '10.0.0.255'],
    ['with the gateway', '10.0.0.1-10.0.0.9', 24, '10.0.0.5', '10.0.0.5'],
    ['of no network', '10.0.0.5', 31, '10.0.0.4', 'prefix length'],
    ['of half a bit', '10.0.0.5', 23.5, '10.0.0.4', 'prefix length'],
    ['with a gateway that is none', '10.0.0.5', 24, 'gw', 'gateway'],
  ])('is refused when it is %s', (_, text, prefixLength, gateway, problem) => {
    expect(() => assertInNetwork(parseAddressRun(text), { prefixLength, gateway })).toThrow(problem);
  });
});

describe('a pool of addresses', () => {
  const database = testDatabase();

  it('takes each address once, with a MAC address of its own, and gives back only what is free', async () => {
    const { manager } = database.dataSource;
    await manager.query(
      `INSERT INTO locations (id, name, description, city, country, network_zone) VALUES (1, 'here', '', '', 'DE', 'z')`,
    );
    const pool = { locationId: 1, prefixLength: 24 };
    expect(
      await addAddresses(manager, { ...pool, ...parseAddressRun('10.1.0.2-10.1.0.6'), gateway: '10.1.0.1' }),
    ).toBe(5);
    expect(
      await addAddresses(manager, { ...pool, ...parseAddressRun('10.1.0.5-10.1.0.8'), gateway: '10.1.0.1' }),
    ).toBe(2);
    // The same last three bytes, in another network.
    expect(
      await addAddresses(manager, { ...pool, ...parseAddressRun('11.1.0.2'), gateway: '11.1.0.1' }),
    ).toBe(1);
    const claimed = await claimAddress(manager, 7, 1);
    expect(claimed).toMatchObject({ ip: '10.1.0.2', mac: '52:53:0a:01:00:02' });
    expect(await addressPools(manager)).toMatchObject([
      { firstIp: '10.1.0.2', lastIp: '10.1.0.8', total: 7, free: 6 },
      { firstIp: '11.1.0.2', lastIp: '11.1.0.2', total: 1, free: 1 },
    ]);
    // An exact copy that waits for it: the rows of servers are another feature's.
    await manager.query('ALTER TABLE address_heirs DROP CONSTRAINT address_heirs_server_id_fkey');
    await inheritAddress(manager, 8, 7);
    await releaseAddress(manager, 7);
    expect(await addressPools(manager)).toMatchObject([{ total: 7, free: 6 }, { total: 1 }]);
    const whole = parseAddressRun('10.1.0.0-10.1.0.255');
    await expect(removeAddresses(manager, whole)).rejects.toMatchObject({ code: 'addresses_in_use' });
    expect(await removeAddresses(manager, parseAddressRun('10.1.0.3-10.1.0.255'))).toEqual(new Map([[1, 6]]));
    expect(await addressPools(manager)).toMatchObject([{ total: 1, free: 0 }, { total: 1 }]);
  });
});
