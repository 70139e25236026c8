import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Faults } from './faults.ts';
import { type Emulator, startEmulator } from './index.ts';

const KEY = 'sk_test_faults';

describe('faults by chance', () => {
  const draw = (seed: number, names: readonly string[]) => {
    const faults = new Faults();
    faults.add({ seed, webhooks: [{ effect: 'lose', probability: 0.3 }] });
    return names.map((name) => faults.takeWebhook(name) !== undefined);
  };

  it('are the same with the same seed, and whatever else happens between', () => {
    const names = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(fc.nat(), names, (seed, order) => {
        expect(draw(seed, order)).toEqual(draw(seed, order));
        const alone = order.filter((name) => name === 'a');
        const among = draw(seed, order).filter((_, index) => order[index] === 'a');
        expect(among).toEqual(draw(seed, alone));
      }),
    );
  });

  it('come about as often as they are asked for, and differ by seed', () => {
    const many = Array.from({ length: 5000 }, () => 'a');
    const share = draw(7, many).filter(Boolean).length / many.length;
    expect(share).toBeGreaterThan(0.27);
    expect(share).toBeLessThan(0.33);
    expect(draw(7, many)).not.toEqual(draw(8, many));
  });

  it('end after so many, and stay for ever without a number', () => {
    const faults = new Faults();
    faults.add({ api: [{ match: '*', effect: 'error_500', probability: 1, times: 2 }] });
    expect([1, 2, 3].map(() => faults.takeApi('GET /x')?.effect)).toEqual([
      'error_500',
      'error_500',
      undefined,
    ]);
    faults.add({ api: [{ match: '*', effect: 'error_429', probability: 1 }] });
    expect(Array.from({ length: 50 }, () => faults.takeApi('GET /x')?.effect)).not.toContain(undefined);
    faults.add({ api: [{ match: 'GET /y', effect: 'error_409' }] });
    faults.clear();
    expect(faults.takeApi('GET /y')).toBeUndefined();
  });
});

describe('webhooks', () => {
  let shop: Server;
  let emulator: Emulator;
  let answers: (type: string) => number = () => 200;
  const received: string[] = [];

  beforeAll(async () => {
    shop = createServer(async (request, response) => {
      const event = JSON.parse(await text(request)) as { id: string; type: string };
      received.push(event.id);
      response.writeHead(answers(event.type)).end();
    });
    await new Promise<void>((resolve) => shop.listen(0, '127.0.0.1', resolve));
    emulator = await startEmulator({
      port: 0,
      apiKey: KEY,
      webhookUrl: `http://127.0.0.1:${(shop.address() as AddressInfo).port}/`,
      webhookSecret: 'whsec_faults',
      webhookRetryMilliseconds: 300_000,
    });
  });
  afterAll(async () => {
    await emulator.close();
    shop.close();
  });

  const create = async (name: string) => {
    const headers = { authorization: `Bearer ${KEY}` };
    const body = new URLSearchParams({ name });
    const answer = await fetch(`${emulator.url}/v1/customers`, { method: 'POST', headers, body });
    return (await answer.json()) as { id: string };
  };
  const until = async (check: () => boolean) => {
    for (let count = 0; count < 500 && !check(); count += 1)
      await new Promise((resolve) => setTimeout(resolve, 10));
    expect(check()).toBe(true);
  };

  it('wait as long as Stripe’s: five minutes, half an hour and so on for three days, by the clock', async () => {
    answers = () => 500;
    await create('Ada');
    await until(() => received.length === 1);
    await emulator.idle();
    const waits = [5, 30, 120, 300, 600, 720, 720, 720, 720];
    for (const [index, minutes] of waits.entries()) {
      emulator.advance(minutes * 60 - 30);
      await emulator.idle();
      expect(received).toHaveLength(index + 1);
      emulator.advance(31);
      await emulator.idle();
      expect(received).toHaveLength(index + 2);
    }
    expect(emulator.pendingWebhooks()).toBe(0);
    expect(waits.reduce((sum, minutes) => sum + minutes, 0)).toBeGreaterThan(60 * 60);
  });

  it('are forgotten with their events after thirty days', async () => {
    answers = () => 200;
    const { id } = await create('Grace');
    await until(() => received.length === 11);
    const listed = async () => {
      const headers = { authorization: `Bearer ${KEY}` };
      const answer = await fetch(`${emulator.url}/v1/events?limit=100`, { headers });
      const { data } = (await answer.json()) as { data: { data: { object: { id: string } } }[] };
      return data.map((event) => event.data.object.id);
    };
    emulator.advance(29 * 86_400);
    expect(await listed()).toContain(id);
    emulator.advance(86_400);
    expect(await listed()).not.toContain(id);
  });
});
