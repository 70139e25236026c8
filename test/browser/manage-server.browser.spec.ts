import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ExportManifestWire, exportManifestResponse } from '#libs/contracts';
import { graveViolations } from './accessibility.fixture.ts';
import { keepPictureOnFailure, launchChromium, openPage } from './chromium.fixture.ts';
import { runBySsh } from './ssh.fixture.ts';
import { startAtHome } from './taken-home.fixture.ts';
import {
  act,
  addCard,
  askApi,
  CARDS,
  chooseProduct,
  deleteServer,
  nameAndContinue,
  newLogin,
  order,
  readAccess,
  SERVED_WITHIN_MILLISECONDS,
  signUp,
  textOf,
  waitUntilServed,
} from './visitor.fixture.ts';

const run = promisify(execFile);
const DONE_WITHIN_MILLISECONDS = 120_000;

/** One customer, one server: each test goes on where the one before it ended. */
describe('a customer manages a server', () => {
  let browser: Browser;
  let page: Page;
  let name: string;
  let formerHostKey: string;
  let password: string;
  let file: Awaited<ReturnType<typeof download>>;
  let manifest: ExportManifestWire;

  beforeAll(async () => {
    browser = await launchChromium();
    // axe brings its script into the page, which our content security policy would refuse.
    page = await openPage(browser, { bypassCSP: true });
  });
  afterAll(async () => {
    await browser.close();
    if (file) await rm(file.path);
  });
  beforeEach(() => keepPictureOnFailure(page));

  it('has one', async () => {
    await chooseProduct(page, /debian/i);
    await page.getByRole('radio', { name: /A password/ }).click();
    name = await nameAndContinue(page);
    await signUp(page, newLogin());
    await addCard(page, CARDS.works);
    await order(page);
    await waitUntilServed(page, name);
    await page.getByRole('link', { name: `Manage ${name}` }).click();
    formerHostKey = (await readAccess(page)).hostKey;
  });

  it('labels it; a label that cannot be one is refused beside its field', async () => {
    await page.getByRole('button', { name: 'Edit labels' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('env');
    await dialog.getByLabel('Value').fill('not one word');
    await dialog.getByRole('button', { name: 'Save labels' }).click();
    await dialog.getByText('Use letters, digits').waitFor();
    expect(await graveViolations(page)).toEqual([]);
    await dialog.getByLabel('Value').fill('staging');
    await dialog.getByRole('button', { name: 'Add a label' }).click();
    await dialog.getByRole('group', { name: 'Label 2' }).getByLabel('Name').fill('team');
    await dialog.getByRole('button', { name: 'Save labels' }).click();
    await dialog.waitFor({ state: 'detached' });
    await page.reload();
    const labels = page.getByRole('list', { name: 'Labels' });
    await labels.waitFor();
    expect((await labels.getByRole('listitem').allTextContents()).toSorted()).toEqual([
      'env=staging',
      'team',
    ]);
    expect(await namesOfServers(page, 'env=staging,team')).toEqual([name]);
  });

  it('removes a label again', async () => {
    await page.getByRole('button', { name: 'Edit labels' }).click();
    const team = page.getByRole('group').filter({ has: page.locator('input[value="team"]') });
    await team.getByRole('button', { name: /Remove label/ }).click();
    await page.getByRole('button', { name: 'Save labels' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await namesOfServers(page, '!team')).toEqual([name]);
  });

  it('renames it', async () => {
    await act(page, 'Rename');
    await page.getByLabel('New name').fill('Not A Name');
    await page.getByRole('button', { name: 'Rename' }).click();
    await page.getByText('Use lower-case letters').waitFor();
    name = `${name}-b`;
    await page.getByLabel('New name').fill(name);
    await page.getByRole('button', { name: 'Rename' }).click();
    await page.getByRole('heading', { name, level: 1 }).waitFor();
  });

  it('powers it off and on, and sees each step', async () => {
    await act(page, 'Power off now');
    await page.getByRole('alertdialog').getByRole('button', { name: 'Power off now' }).click();
    await page.getByText('It is off').waitFor({ timeout: DONE_WITHIN_MILLISECONDS });
    await page.locator('[data-status="off"]').waitFor();
    await act(page, 'Power on');
    await page.getByText('It is on').waitFor({ timeout: DONE_WITHIN_MILLISECONDS });
    await page.locator('[data-status="running"]').waitFor();
  });

  it('works in another project, where the server is not, and comes back', async () => {
    await page.goto('/account');
    await page.getByRole('button', { name: 'New project' }).click();
    await page.getByLabel('Name').fill('Staging');
    await page.getByRole('button', { name: 'Make project' }).click();
    await page.getByRole('radio', { name: 'Staging', checked: true }).waitFor();
    await page.goto('/servers');
    await page.getByText('Nothing ordered yet').waitFor();
    await page.getByRole('button', { name: /Account menu/ }).click();
    await page.getByRole('menuitemradio').first().click();
    await page.getByRole('link', { name }).click();
    await page.getByRole('heading', { name, level: 1 }).waitFor();
  });

  it('rebuilds it from another image after typing its name, and follows the real steps', async () => {
    await act(page, 'Rebuild');
    const dialog = page.getByRole('alertdialog');
    await dialog.getByRole('radio', { name: /web/i }).click();
    const confirm = dialog.getByRole('button', { name: 'Erase and rebuild' });
    expect(await confirm.isDisabled()).toBe(true);
    expect(await graveViolations(page)).toEqual([]);
    await dialog.getByLabel(`Type ${name}`).fill(name);
    await confirm.click();
    await page.getByRole('progressbar', { name: /Rebuilding/ }).waitFor();
    await page.getByRole('list', { name: 'Steps' }).locator('li').nth(3).waitFor();
    await page.getByText('It is rebuilt').waitFor({ timeout: SERVED_WITHIN_MILLISECONDS });
    await page.locator('[data-service^="http"] a').waitFor();
  });

  it('gets a new password with it', async () => {
    await page.getByRole('button', { name: 'Show the password once' }).click();
    password = await textOf(page, 'copy-password');
    expect(password.length).toBeGreaterThan(11);
    const { hostKey } = await readAccess(page);
    expect(hostKey).not.toBe(formerHostKey);
  });

  it('logs in with what the page shows, as the name that it has now', async () => {
    await page.reload();
    const access = await readAccess(page);
    expect(await runBySsh({ ...access, secret: { password } }, 'hostname')).toBe(name);
  });

  it('takes a snapshot, breaks something, and rolls it back', async () => {
    await page.reload();
    const access = await readAccess(page);
    const onServer = (command: string) => runBySsh({ ...access, secret: { password } }, command);
    await onServer('echo precious > /root/kept; sync');
    await page.getByRole('button', { name: 'Take a snapshot' }).click();
    await page.getByLabel('What for?').fill('before the upgrade');
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
    await page.getByText('It is back at its snapshot').waitFor({ timeout: SERVED_WITHIN_MILLISECONDS });
    const cat = () => onServer('cat /root/kept').catch((error: Error) => error.message);
    await expect.poll(cat, { timeout: SERVED_WITHIN_MILLISECONDS, interval: 3000 }).toBe('precious');
    await kept.filter({ hasText: 'Before the roll back' }).waitFor();
  });

  it('takes it home as one file that needs no other', async () => {
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

  it('starts it at home, where its login and its page are as they were', async () => {
    const { hostKey } = await readAccess(page);
    await using home = await startAtHome(file.path, manifest.server);
    const login = { host: '127.0.0.1', port: home.sshPort, hostKey, secret: { password } };
    const cat = () => runBySsh(login, 'cat /root/kept; hostname').catch((error: Error) => error.message);
    await expect.poll(cat, { timeout: SERVED_WITHIN_MILLISECONDS, interval: 3000 }).toBe(`precious\n${name}`);
    const served = async () => (await fetch(`http://127.0.0.1:${home.httpPort}/`)).text();
    await expect.poll(served, { timeout: DONE_WITHIN_MILLISECONDS, interval: 3000 }).toContain(name);
  });

  it('finds all of it in the history', async () => {
    const history = page.getByRole('listitem');
    for (const one of ['Roll back', 'Snapshot', 'Rebuild', 'Power on', 'Power off', 'Order'])
      await history.filter({ hasText: new RegExp(`^${one}done`) }).waitFor();
  });

  it('deletes it after typing its name', async () => {
    await deleteServer(page, name);
    await page.getByText('Nothing ordered yet').waitFor();
  });
});

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

async function namesOfServers(page: Page, selector: string): Promise<string[]> {
  const path = `/v1/servers?label_selector=${encodeURIComponent(selector)}`;
  const { servers } = await askApi<{ servers: { name: string }[] }>(page, path);
  return servers.map((server) => server.name);
}
