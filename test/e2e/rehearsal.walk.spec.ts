import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  actionResponse,
  createRehearsalResponse,
  rehearsalOutputResponse,
  rehearsalResponse,
  serverListResponse,
} from '#libs/contracts';
import {
  ask,
  deleteServers,
  finished,
  getServer,
  type Key,
  onServer,
  order,
  registerKey,
  send,
} from './stack.fixture.ts';

const run = promisify(execFile);

const PAGE = '/shop.txt';
const health_checks = [{ type: 'http', port: 80, path: PAGE, status: 200 }];

/** A Debian package that the web server serves a page of; `breaks` puts into it what the web server cannot read. */
async function buildPackage(folder: string, version: string, breaks = false): Promise<string> {
  const root = join(folder, version);
  const files: Record<string, string> = {
    'DEBIAN/control': `Package: shop\nVersion: ${version}\nArchitecture: all\nMaintainer: test <test@example.test>\nDescription: a shop\n`,
    'DEBIAN/postinst': '#!/bin/sh\nsystemctl restart nginx || true\n',
    [`var/www/html${PAGE}`]: `shop ${version}\n`,
    'etc/nginx/conf.d/shop.conf': breaks ? 'this is no directive\n' : `# shop ${version}\n`,
  };
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
  await chmod(join(root, 'DEBIAN/postinst'), 0o755);
  const file = join(folder, `shop_${version}_all.deb`);
  await run('dpkg-deb', ['--build', '--root-owner-group', root, file]);
  return file;
}

/** One server, whose upgrades are rehearsed: a good one, which is applied, and a bad one, which is rolled back. */
describe('an upgrade that is rehearsed', () => {
  const name = `rehearsed-${randomUUID().slice(0, 8)}`;
  let folder: string;
  let key: Key;
  let serverId: number;
  let rehearsalId: number;

  const shell = async (command: string) =>
    onServer(await getServer(serverId), { privateKey: key.privateKey }, command);

  /** What the server shows to the world. */
  async function page(): Promise<string> {
    const web = (await getServer(serverId)).servery.access.find(({ url }) => url !== undefined);
    const answer = await fetch(new URL(PAGE, web?.url), { signal: AbortSignal.timeout(30_000) });
    return answer.ok ? answer.text() : `${answer.status}`;
  }

  async function rehearse(script: string) {
    const body = { script, health_checks, timeout_seconds: 300 };
    const { rehearsal, action } = await ask(
      createRehearsalResponse,
      'POST',
      `/servers/${serverId}/rehearsals`,
      body,
    );
    rehearsalId = rehearsal.id;
    await finished(action.id);
    return report();
  }

  const report = async () => (await ask(rehearsalResponse, 'GET', `/rehearsals/${rehearsalId}`)).rehearsal;

  async function apply(body: object) {
    return (await ask(actionResponse, 'POST', `/rehearsals/${rehearsalId}/actions/apply`, body)).action;
  }

  async function outputOf(stage: string): Promise<string> {
    const path = `/rehearsals/${rehearsalId}/output?stage=${stage}`;
    const { output } = await ask(rehearsalOutputResponse, 'GET', path);
    expect(output.is_end).toBe(true);
    return output.text;
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'servery-rehearsal-'));
    key = await registerKey(name);
    const placed = await order({ name, server_type: 's1', image: 'web', ssh_keys: [key.id] });
    serverId = placed.server.id;
    const files = [
      await buildPackage(folder, '1.0'),
      await buildPackage(folder, '2.0'),
      await buildPackage(folder, '3.0', true),
    ];
    await finished(placed.action.id);
    for (const file of files) {
      const target = `/root/${file.split('/').at(-1)}`;
      await shell(`echo ${(await readFile(file)).toString('base64')} | base64 -d > ${target}`);
    }
    await shell('dpkg -i /root/shop_1.0_all.deb');
    expect(await page()).toBe('shop 1.0\n');
  });

  afterAll(async () => {
    await deleteServers([name]);
    await send('DELETE', `/ssh_keys/${key.id}`);
    await rm(folder, { recursive: true });
  });

  it('is tried on a clone, which says what it changes, and leaves the server alone', async () => {
    const { status, rehearsal, clone } = await rehearse('dpkg -i /root/shop_2.0_all.deb\n');
    expect([status, clone]).toEqual(['passed', null]);
    expect(rehearsal?.changes?.packages).toEqual([{ name: 'shop', before: '1.0', after: '2.0' }]);
    expect(rehearsal?.checks).toMatchObject([{ passed: true }]);
    expect(rehearsal?.after?.listening).toContain('tcp 0.0.0.0:80');
    expect(rehearsal?.after?.boot_seconds).toBeGreaterThan(0);
    expect(await outputOf('rehearsal')).toContain('Setting up shop (2.0)');
    expect(await page()).toBe('shop 1.0\n');
    const clones = await ask(serverListResponse, 'GET', `/servers?name=rehearsal-${rehearsalId}`);
    expect(clones.servers.filter((server) => server.status !== 'deleting')).toEqual([]);
  });

  it('is applied, and seen from outside', async () => {
    await finished((await apply({})).id);
    const { status, production } = await report();
    expect([status, production?.status, production?.exit_code]).toEqual(['applied', 'passed', 0]);
    expect(production?.changes?.packages).toEqual([{ name: 'shop', before: '1.0', after: '2.0' }]);
    expect(await page()).toBe('shop 2.0\n');
    expect(await shell('ls /run/servery/runs')).toBe('');
  });

  it('fails on the clone where it breaks the service', async () => {
    const { status, rehearsal } = await rehearse('set -e\ndpkg -i /root/shop_3.0_all.deb\nnginx -t\n');
    expect([status, rehearsal?.error?.code]).toEqual(['failed', 'script_failed']);
    expect(rehearsal?.changes?.failed_units.added).toContain('nginx.service');
    expect(await outputOf('rehearsal')).toContain('[emerg]');
    expect(await page()).toBe('shop 2.0\n');
  });

  it('is rolled back by itself where it is applied all the same, and the service answers again', async () => {
    await expect(finished((await apply({ even_if_failed: true })).id)).rejects.toThrow(/script_failed/);
    const { status, production } = await report();
    expect([status, production?.status, production?.answers_again]).toEqual([
      'rolled_back',
      'rolled_back',
      true,
    ]);
    expect(await page()).toBe('shop 2.0\n');
    expect(await shell('dpkg-query -s shop')).toContain('Version: 2.0');
  });
});
