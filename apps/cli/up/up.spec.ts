import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { variableDocs } from '#libs/config';
import { Up } from './up.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'up-'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

const open = () =>
  Up.open({ root: '/srv/checkout', folder, moreAppliances: [], signal: AbortSignal.timeout(60_000) });

describe('what `up` gives to API and worker', () => {
  it('is every setting of its shell that is the operator’s to choose', async () => {
    const names = variableDocs().map(({ name }) => name);
    for (const name of names) vi.stubEnv(name, 'told');
    const given = (await open()).environment();
    expect(names.filter((name) => given[name] === undefined)).toEqual([
      // It listens at 127.0.0.1 for this machine alone.
      'SERVERY_HOST',
      'SERVERY_WORKER_URL',
      'SERVERY_TRUST_PROXY',
      // The lab's and the tests'.
      'SERVERY_SIMULATED_FLEET_DIR',
      'SERVERY_RELAY_SOCKET',
      'SERVERY_GUEST_PROXY',
      // The emulator's.
      'STRIPE_API_HOST',
      'STRIPE_API_PORT',
    ]);
  });

  it('is the catalog and the kitchen that the shell names, and else the checkout’s and the folder of images', async () => {
    const folders = async () => {
      const { SERVERY_CATALOG_DIR, SERVERY_COOKS_DIR } = (await open()).environment();
      return [SERVERY_CATALOG_DIR, SERVERY_COOKS_DIR];
    };
    for (const name of ['SERVERY_CATALOG_DIR', 'SERVERY_COOKS_DIR', 'SERVERY_IMAGES_DIR'])
      vi.stubEnv(name, '');
    expect(await folders()).toEqual(['/srv/checkout/catalog', join(folder, 'images')]);
    vi.stubEnv('SERVERY_CATALOG_DIR', '/srv/catalog');
    vi.stubEnv('SERVERY_COOKS_DIR', '/srv/kitchen');
    expect(await folders()).toEqual(['/srv/catalog', '/srv/kitchen']);
  });
});
