import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keepPictureOnFailure, launchChromium, openPage } from './chromium.fixture.ts';
import { newSshKey, runBySsh } from './ssh.fixture.ts';
import {
  addCard,
  CARDS,
  chooseProduct,
  deleteServer,
  nameAndContinue,
  newLogin,
  order,
  readAccess,
  signUp,
  waitUntilServed,
} from './visitor.fixture.ts';

describe('a visitor orders a bare server with an SSH key', () => {
  const key = newSshKey('visitor@laptop');
  let browser: Browser;
  let page: Page;
  let name: string;

  beforeAll(async () => {
    browser = await launchChromium();
    page = await openPage(browser);
  });
  afterAll(() => browser.close());

  it('is told what is wrong with a key that cannot be one', async () => {
    keepPictureOnFailure(page);
    await chooseProduct(page, /debian/i);
    await page.getByRole('radio', { name: /An SSH key/ }).click();
    await page.getByLabel('Public key').fill(key.privateKey);
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByText('This is a private key').waitFor();
    expect(new URL(page.url()).pathname).toMatch(/^\/configure\//);
  });

  it('pastes the right one and gets in with it', async () => {
    keepPictureOnFailure(page);
    await page.getByLabel('Public key').fill(key.publicKey);
    name = await nameAndContinue(page);
    await signUp(page, newLogin());
    await addCard(page, CARDS.works);
    await order(page);
    await waitUntilServed(page, name);
    await page.getByText('There is no password.').waitFor();
    const access = await readAccess(page);
    const output = await runBySsh({ ...access, secret: { privateKey: key.privateKey } }, 'hostname');
    expect(output).toBe(name);
  });

  it('finds the key again under SSH keys, named by its comment', async () => {
    keepPictureOnFailure(page);
    await page.goto('/ssh-keys');
    await page.getByText('visitor@laptop').waitFor();
  });

  it('deletes the server', async () => {
    keepPictureOnFailure(page);
    await page.goto('/servers');
    await page.getByRole('link', { name }).click();
    await deleteServer(page, name);
  });
});
