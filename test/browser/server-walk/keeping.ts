import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { afterAll, expect, it } from 'vitest';
import { type ExportManifestWire, exportManifestResponse } from '#libs/contracts';
import { graveViolations } from '../accessibility.fixture.ts';
import { runBySsh } from '../ssh.fixture.ts';
import { startAtHome } from '../taken-home.fixture.ts';
import { readAccess, SERVED_WITHIN_MILLISECONDS } from '../visitor.fixture.ts';
import { DONE_WITHIN_MILLISECONDS, type ServerWalk } from './server-walk.ts';

const run = promisify(execFile);

/** A server is a file: it is kept, rolled back, taken home and started there. */
export function keeping(walk: ServerWalk): void {
  let file: Awaited<ReturnType<typeof download>>;
  let manifest: ExportManifestWire;
  afterAll(async () => {
    if (file) await rm(file.path);
  });

  it('takes a snapshot, breaks something, and rolls it back', async () => {
    const { page, password } = walk;
    await page.reload();
    const access = await readAccess(page);
    const onServer = (command: string) => runBySsh({ ...access, secret: { password } }, command);
    await onServer('echo precious > /root/kept; sync');
    const whichBoot = 'cat /proc/sys/kernel/random/boot_id';
    const boot = await onServer(whichBoot);
    await page.getByRole('button', { name: 'Take a snapshot' }).click();
    await page.getByLabel('What for?').fill('before the upgrade');
    await page.getByLabel('With its memory').check();
    expect(await graveViolations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Take the snapshot' }).click();
    const kept = page.getByRole('list', { name: 'Snapshots and backups' }).getByRole('listitem');
    const menu = kept.getByRole('button', { name: 'Actions for before the upgrade' });
    await menu.waitFor({ timeout: DONE_WITHIN_MILLISECONDS });
    await onServer('rm /root/kept; sync');
    const isFree = () => page.getByRole('button', { name: 'Take a snapshot' }).isEnabled();
    await expect.poll(isFree, { timeout: DONE_WITHIN_MILLISECONDS }).toBe(true);
    await menu.click();
    await page.getByRole('menuitem', { name: 'Roll back to it' }).click();
    expect(await graveViolations(page)).toEqual([]);
    await page.getByRole('alertdialog').getByRole('button', { name: 'Roll back' }).click();
    await page
      .getByText('It is back at its snapshot', { exact: true })
      .waitFor({ timeout: SERVED_WITHIN_MILLISECONDS });
    const cat = () => onServer('cat /root/kept').catch((error: Error) => error.message);
    await expect.poll(cat, { timeout: SERVED_WITHIN_MILLISECONDS, interval: 3000 }).toBe('precious');
    expect(await onServer(whichBoot)).toBe(boot);
    await kept.filter({ hasText: 'Before the roll back' }).waitFor();
  });

  it('takes it home as one file that needs no other', async () => {
    const { page } = walk;
    await page.getByRole('button', { name: 'Export', exact: true }).click();
    await page.getByRole('dialog').getByRole('radio', { name: /qcow2/ }).click();
    expect(await graveViolations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Make the file' }).click();
    const exported = page.getByRole('list', { name: 'Exports' }).getByRole('listitem');
    const link = exported.getByRole('link', { name: /Download/ });
    await link.waitFor({ timeout: SERVED_WITHIN_MILLISECONDS });
    file = await download(String(await link.getAttribute('href')));
    expect(await exported.locator('code').textContent()).toBe(file.sha256);
    expect(file.info).toMatchObject({ format: 'qcow2' });
    expect(file.info).not.toHaveProperty('backing-filename');
    const paper = await exported.getByRole('link', { name: /Manifest/ }).getAttribute('href');
    manifest = exportManifestResponse.parse(await (await fetch(String(paper))).json());
  });

  it('starts it at home, where its login is as it was', async () => {
    const { page, name, password } = walk;
    const { hostKey } = await readAccess(page);
    await using home = await startAtHome(file.path, manifest.server);
    const login = { host: '127.0.0.1', port: home.sshPort, hostKey, secret: { password } };
    const cat = () => runBySsh(login, 'cat /root/kept; hostname').catch((error: Error) => error.message);
    await expect.poll(cat, { timeout: SERVED_WITHIN_MILLISECONDS, interval: 3000 }).toBe(`precious\n${name}`);
  });
}

/** What a link of an export leads to, in a file. */
async function download(url: string) {
  const answer = await fetch(url);
  if (!answer.ok || !answer.body) throw new Error(`the download answered ${answer.status}`);
  const path = join(tmpdir(), `exported-${process.pid}.qcow2`);
  const hash = createHash('sha256');
  await pipeline(
    answer.body,
    async function* (chunks: AsyncIterable<Uint8Array>) {
      for await (const chunk of chunks) {
        hash.update(chunk);
        yield chunk;
      }
    },
    createWriteStream(path),
  );
  const { stdout } = await run('qemu-img', ['info', '--output=json', '-f', 'qcow2', path]);
  return { path, sha256: hash.digest('hex'), info: JSON.parse(stdout) as object };
}
