import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { orderStep } from './order.step.ts';
import { Up } from './up.ts';

const PLACE = {
  ...{ id: 1, name: 'lab', description: '', city: 'Here', country: 'DE', latitude: 0, longitude: 0 },
  network_zone: 'lab',
};
const TYPE = {
  ...{ id: 1, name: 's1', description: '', category: '', cores: 1, memory: 1, disk: 10, cpu_type: 'shared' },
  ...{ storage_type: 'local', architecture: 'x86', deprecated: null, deprecation: null },
  ...{ locations: [], prices: [] },
};
const DATACENTER = {
  ...{ id: 1, name: 'lab', description: '', location: PLACE },
  server_types: { available: [], available_for_migration: [], supported: [] },
};

/** The demo server, as the API shows it. */
function shown(status: string) {
  return {
    ...{ id: 7, name: 'demo', status, created: '2027-01-01T00:00:00Z', private_net: [], server_type: TYPE },
    public_net: { ipv4: null, ipv6: null, floating_ips: [], firewalls: [] },
    ...{ datacenter: DATACENTER, location: PLACE, image: null, iso: null, rescue_enabled: false },
    ...{ locked: false, backup_window: null, outgoing_traffic: null, ingoing_traffic: null },
    ...{ included_traffic: null, primary_disk_size: 10, protection: { delete: false, rebuild: false } },
    ...{ labels: {}, volumes: [], load_balancers: [], placement_group: null },
    servery: {
      ...{ appliance: 'web', upgraded_to: null, order_id: 1, ready: true, verification: 'identity' },
      devices: { firmware: 'bios', disk_bus: 'virtio', nic_model: 'virtio' },
      ...{ ready_at: '2027-01-01T00:00:00Z', host_key: 'ssh-ed25519 AAAA', application_secrets: null },
      credentials: { kind: 'ssh_key', state: 'available', expires_at: null },
      access: [{ service: 'ssh', host: '127.0.0.1', port: 2222 }],
      ...{ suspension: null, backup_plan: null, network: 'open', holds_timers: false, clone: null },
      ...{ rescue: null, reason: null },
    },
  };
}

/** The machine lost its power with all that ran on it, and `up` is run again. `ssh` is a script that counts its calls. */
describe('the main job, for a demo server that lost its power', () => {
  let folder = '';
  let api: Server;
  let status = 'running';
  let powerOns = 0;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'order-'));
    status = 'running';
    powerOns = 0;
    await mkdir(join(folder, 'ssh'));
    await writeFile(join(folder, 'ssh', 'id_ed25519.pub'), 'ssh-ed25519 AAAA demo\n');
    api = createServer(async ({ url = '', method }, response) => {
      const succeeded = {
        ...{ id: 3, command: 'start_server', status: 'success', progress: 100, resources: [], error: null },
        ...{ started: '2027-01-01T00:00:00Z', finished: '2027-01-01T00:00:00Z' },
      };
      const pagination = {
        ...{ page: 1, per_page: 25, previous_page: null, next_page: null, last_page: 1, total_entries: 1 },
      };
      if (method === 'POST') {
        powerOns += 1;
        status = 'running';
        await writeFile(join(folder, 'switched-on'), '');
      }
      const answer = url.includes('?status=running')
        ? { actions: [], meta: { pagination } }
        : url.includes('?name=')
          ? { servers: [shown(status)], meta: { pagination } }
          : /\/actions\//.test(url)
            ? { action: succeeded }
            : { server: shown(status) };
      response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
    });
    await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    api.close();
    await rm(folder, { recursive: true });
  });

  /** @param script what `ssh` does; `$tries` is how often it was called, this time counted. */
  async function run(script: string) {
    const programs = join(folder, 'bin');
    await mkdir(programs);
    const counts = `cd '${folder}'; echo >>tries; tries=$(wc -l <tries)`;
    await writeFile(join(programs, 'ssh'), `#!/bin/sh\n${counts}\n${script}\n`, { mode: 0o755 });
    vi.stubEnv('PATH', `${programs}:${process.env.PATH}`);
    const signal = AbortSignal.timeout(60_000);
    const up = await Up.open({ root: '/srv/checkout', folder, moreAppliances: [], signal });
    up.state.ports.api = (api.address() as AddressInfo).port;
    up.state.demo.token = 'a'.repeat(64);
    return orderStep.run(up, (line) => {
      if (line === 'logging in' && powerOns === 0) status = 'off';
    });
  }

  it('switches it on where that it is off is seen only after it was tried', async () => {
    await expect(run('[ -e switched-on ] && echo demo')).resolves.toContain('demo answered');
    expect(powerOns).toBe(1);
  });

  it('waits until it has booted, for to be switched on is not to answer', async () => {
    status = 'off';
    await expect(run('[ -e switched-on ] && [ $tries -gt 3 ] && echo demo')).resolves.toContain(
      'demo answered',
    );
    expect(powerOns).toBe(1);
  });

  it('does not wait for one whose host key is another', async () => {
    const refusal = 'echo "Host key verification failed." >&2; exit 255';
    await expect(run(refusal)).rejects.toMatchObject({ code: 'ssh_failed' });
    expect(await readFile(join(folder, 'tries'), 'utf8')).toBe('\n');
  });
});
