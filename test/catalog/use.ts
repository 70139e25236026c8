import { access } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type { HealthCheck } from '#libs/images';
import type { Recipe } from '#libs/images/cook';
import type { Guest } from './guest.ts';

/**
 * `catalog/<name>/use.ts` exports one of these as `use`: it does with a server of this appliance what its owner would,
 * from outside wherever that is possible, and throws where the server fails.
 */
export type Use = (guest: Guest) => Promise<void>;

export const catalogDir = join(import.meta.dirname, '../../catalog');

const HEALTHY_WITHIN_MILLISECONDS = 900_000;
const ANSWER_WITHIN_MILLISECONDS = 10_000;

/** Waits until all is up, checks health as a worker does, and uses the appliance as its client would. */
export async function useAsClient(guest: Guest, recipe: Recipe): Promise<void> {
  await guest.run('cloud-init status --wait');
  for (const check of recipe.health) await eventually(() => assertHealthy(guest, check));
  await assertNothingElseListens(guest, recipe);
  const use = await useOf(recipe.name);
  await use?.(guest);
}

/** Beyond loopback, by TCP: what its owner is not told of is not open. */
async function assertNothingElseListens(guest: Guest, { ports }: Recipe): Promise<void> {
  const listening = await guest.must('ss --no-header --listening --tcp --numeric');
  const addresses = listening.split('\n').map((line) => line.trim().split(/\s+/)[3] ?? '');
  const open = addresses.filter((address) => !/^(127\.|\[::1\])/.test(address));
  const untold = open.filter((address) => !ports.some(({ port }) => address.endsWith(`:${port}`)));
  if (untold.length > 0) throw new Error(`it listens on ${untold.join(', ')}, which no port of it says`);
}

/** Tries again until it does not throw. @throws what the last try has thrown, after a quarter of an hour */
export async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + HEALTHY_WITHIN_MILLISECONDS;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await pause(1000);
    }
  }
}

async function assertHealthy(guest: Guest, check: HealthCheck): Promise<void> {
  const port = guest.portFor(check.port);
  if (check.type === 'tcp') return assertGreeting(port);
  const signal = AbortSignal.timeout(ANSWER_WITHIN_MILLISECONDS);
  const answer = await fetch(`http://127.0.0.1:${port}${check.path}`, { signal, redirect: 'manual' });
  if (answer.status !== check.status) throw new Error(`${check.path} answers ${answer.status}`);
}

/** QEMU takes every connection by itself and ends it where nobody listens in the guest. */
async function assertGreeting(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject).once('close', () => reject(new Error(`nobody listens behind ${port}`)));
      socket.once('data', () => resolve());
      socket.once('connect', () => setTimeout(resolve, 2000));
    });
  } finally {
    socket.destroy();
  }
}

async function useOf(name: string): Promise<Use | undefined> {
  const path = join(catalogDir, name, 'use.ts');
  const exists = await access(path).then(
    () => true,
    () => false,
  );
  if (!exists) return undefined;
  const { use } = (await import(pathToFileURL(path).href)) as { use?: Use };
  if (!use) throw new Error(`${path} exports no function "use"`);
  return use;
}
