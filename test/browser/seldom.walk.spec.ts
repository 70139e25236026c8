import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ServerWire } from '#libs/contracts';
import { graveViolations, overflow } from './accessibility.fixture.ts';
import { keepPictureOnFailure, launchChromium, openPage } from './chromium.fixture.ts';
import { servery } from './servery.fixture.ts';
import { runBySsh } from './ssh.fixture.ts';
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
const SOON = { timeout: SERVED_WITHIN_MILLISECONDS, interval: 2000 };
const DISK_BYTES = 64 * 1024 * 1024;

/** A service that is there after a restart as well, which the clone gets before it is looked at. */
const UPGRADE = `#!/bin/sh
set -e
echo upgraded
cat > /etc/systemd/system/shop.service <<'END'
[Service]
ExecStart=/usr/bin/python3 -m http.server 8099
[Install]
WantedBy=multi-user.target
END
systemctl enable --now shop
sleep 5
`;

/** What an owner does to one server in a bad or a careful hour: each test goes on where the one before it ended. */
describe('an owner of one server', () => {
  let browser: Browser;
  let page: Page;
  let folder: string;
  let name: string;
  let address: string;
  let password: string;
  let hostKey: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'servery-seldom-'));
    browser = await launchChromium();
    page = await openPage(browser, { bypassCSP: true });
  });
  afterAll(async () => {
    await browser.close();
    await rm(folder, { recursive: true });
  });
  beforeEach(() => keepPictureOnFailure(page));

  const theServer = async () => (await askApi<{ server: ServerWire }>(page, `/v1${address}`)).server;
  const isFree = () => expect.poll(async () => (await theServer()).locked, SOON).toBe(false);

  /** Of the server's own system unless told otherwise. */
  async function shell(
    command: string,
    login: { password?: string; hostKey?: string } = {},
  ): Promise<string> {
    const ssh = (await theServer()).servery.access.find(({ service }) => service === 'ssh');
    const at = { host: String(ssh?.host), port: Number(ssh?.port) };
    return runBySsh(
      { ...at, hostKey: login.hostKey ?? hostKey, secret: { password: login.password ?? password } },
      command,
    );
  }

  it('orders it', async () => {
    await chooseProduct(page, /web/i);
    await page.getByRole('radio', { name: /A password/ }).click();
    name = await nameAndContinue(page);
    await signUp(page, newLogin());
    await addCard(page, CARDS.works);
    await order(page);
    await waitUntilServed(page, name);
    await page.getByRole('button', { name: 'Show the password once' }).click();
    password = await textOf(page, 'copy-password');
    await page.getByRole('link', { name: `Manage ${name}` }).click();
    await page.waitForURL(/\/servers\/\d+$/);
    address = new URL(page.url()).pathname;
    ({ hostKey } = await readAccess(page));
    expect(await shell('hostname')).toBe(name);
  });

  it('starts the rescue system, looks into the disk from there, and goes back', async () => {
    await page.getByRole('button', { name: 'Enable it' }).click();
    expect(await graveViolations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Enable the rescue system' }).click();
    const rescuePassword = await textOf(page, 'copy-rescue password');
    await page.getByText('Its next boot is from the rescue system.').waitFor({ timeout: SOON.timeout });
    await page.getByRole('button', { name: 'Start it now' }).click();
    await page.getByText('It is in its rescue system.').waitFor({ timeout: SOON.timeout });
    await page.getByText('The SSH host key of its rescue system').click();
    const login = { password: rescuePassword, hostKey: await textOf(page, 'copy-rescue host key') };
    const look = () => shell('mount -o ro /dev/vda3 /mnt 2>&1; cat /mnt/etc/hostname', login);
    await expect.poll(() => look().catch((error: Error) => error.message), SOON).toContain(name);
    expect(await overflow(page)).toBe(0);
    await page.getByRole('button', { name: 'Back to its own system' }).click();
    await page.getByRole('button', { name: 'Enable it' }).waitFor({ timeout: SOON.timeout });
    await expect.poll(() => shell('hostname').catch((error: Error) => error.message), SOON).toBe(name);
    await isFree();
  });

  it('puts a disc into its drive, and takes it out', async () => {
    const [content, file] = [join(folder, 'disc'), join(folder, 'disc.iso')];
    await mkdir(content);
    await writeFile(join(content, 'kept'), 'on the disc');
    await run('xorrisofs', ['-quiet', '-V', 'DISC', '-o', file, content]);
    await servery('iso', 'add', name, '--file', file, '--description', `Disc of ${name}`);
    try {
      await page.reload();
      await page.getByLabel('ISO image').selectOption({ label: `Disc of ${name}` });
      await page.getByRole('button', { name: 'Put it in' }).click();
      await page.getByText(`Disc of ${name} is in it`).waitFor({ timeout: SOON.timeout });
      const read = () =>
        shell('modprobe isofs; mount -o ro /dev/sr0 /media && cat /media/kept; umount /media');
      await expect.poll(() => read().catch((error: Error) => error.message), SOON).toBe('on the disc');
      await page.getByRole('button', { name: 'Take it out' }).click();
      await page.getByRole('button', { name: 'Put it in' }).waitFor({ timeout: SOON.timeout });
      await isFree();
    } finally {
      await servery('iso', 'remove', name);
    }
  });

  it('adds a volume, which is mounted', async () => {
    await page.reload();
    await page.getByRole('button', { name: 'Add a volume' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('data');
    await dialog.getByLabel('Size in GB').fill('1');
    expect(await graveViolations(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Create volume' }).click();
    await dialog.waitFor({ state: 'detached' });
    const volumes = page.getByRole('list', { name: 'Volumes of this server' });
    await volumes.getByText('data', { exact: true }).waitFor({ timeout: SOON.timeout });
    const mounted = () => shell('df --output=fstype /mnt/* | tail -1').catch((error: Error) => error.message);
    await expect.poll(mounted, SOON).toBe('ext4');
    await isFree();
  });

  it(
    'rehearses an upgrade, reads what it changes, and applies it',
    async () => {
      await page.reload();
      await page.getByRole('button', { name: 'Rehearse', exact: true }).click();
      await page.getByLabel('Script').fill(UPGRADE);
      expect(await graveViolations(page)).toEqual([]);
      await page.getByRole('button', { name: 'Try it on a clone' }).click();
      await page.waitForURL(/\/rehearsals\/\d+$/);
      // A clone starts, and starts again after the script.
      await page.getByRole('button', { name: /^Apply/ }).waitFor({ timeout: 2 * SOON.timeout });
      expect(await graveViolations(page)).toEqual([]);
      const changes = page.getByRole('table', { name: 'What changed on the clone' });
      await changes.getByRole('row').filter({ hasText: '0.0.0.0:8099' }).first().waitFor();
      await page.getByRole('log', { name: 'Output on the clone' }).getByText('upgraded').waitFor();
      expect(await shell('systemctl is-active shop')).toBe('inactive');
      await page.setViewportSize({ width: 390, height: 844 });
      expect(await overflow(page)).toBe(0);
      await page.setViewportSize({ width: 1280, height: 900 });
      await page.getByRole('button', { name: 'Apply to the server' }).click();
      await page.getByRole('alertdialog').getByRole('button', { name: 'Apply it' }).click();
      await page.getByText('Applied to the server', { exact: true }).waitFor({ timeout: SOON.timeout });
      expect(await shell('systemctl is-active shop')).toBe('active');
      await page.getByRole('table', { name: 'What changed on the server' }).waitFor();
    },
    4 * SOON.timeout,
  );

  it('clones it, and opens the network of the clone', async () => {
    await page.goto(address);
    await isFree();
    await act(page, 'Clone');
    expect(await graveViolations(page)).toEqual([]);
    const clone = `${name}-copy`;
    expect(await page.getByLabel('Name of the clone').inputValue()).toBe(clone);
    await page.getByRole('button', { name: 'Order the clone' }).click();
    await page.waitForURL(/\/orders\/\d+$/);
    await waitUntilServed(page, clone);
    await page.getByRole('link', { name: `Manage ${clone}` }).click();
    await page.getByText('It is on the isolated network').waitFor();
    await page.getByRole('button', { name: 'Open network' }).click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Open network' }).click();
    await page
      .getByText('It is on the isolated network')
      .waitFor({ state: 'detached', timeout: SOON.timeout });
    await deleteServer(page, clone);
  });

  it('brings a disk along, which becomes an image, and deletes it', async () => {
    const file = join(folder, 'brought.raw');
    await writeFile(file, '');
    await truncate(file, DISK_BYTES);
    await run('mke2fs', ['-q', '-t', 'ext4', file]);
    await page.goto('/images');
    await page.getByRole('link', { name: 'Bring a disk along' }).click();
    await page.getByLabel('Disk file').setInputFiles(file);
    expect(await page.getByLabel('Name').inputValue()).toBe('brought');
    expect(await page.getByLabel('Format').inputValue()).toBe('raw');
    expect(await graveViolations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Import it' }).click();
    await page.getByText('It is ready').waitFor({ timeout: SOON.timeout });
    await page.getByRole('link', { name: 'To my images' }).click();
    await page.getByRole('link', { name: 'Order a server of brought' }).waitFor();
    await page.getByRole('button', { name: 'Delete brought' }).click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('link', { name: 'Order a server of brought' }).waitFor({ state: 'detached' });
  });

  it('deletes it', async () => {
    await page.goto(address);
    await deleteServer(page, name);
  });
});
