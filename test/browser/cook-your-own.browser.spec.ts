import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import type { cookListResponse, recipeListResponse } from '#libs/contracts';
import { graveViolations, overflow } from './accessibility.fixture.ts';
import { keepPictureOnFailure, launchChromium, openPage } from './chromium.fixture.ts';
import { runBySsh } from './ssh.fixture.ts';
import {
  askApi,
  CARDS,
  deleteServer,
  nameAndContinue,
  newLogin,
  order,
  readAccess,
  submitCard,
  textOf,
  waitUntilServed,
} from './visitor.fixture.ts';

/** A cook of a few packages upon a base that was not kept yet, on a busy machine. */
const COOKED_WITHIN_MILLISECONDS = 12 * 60_000;

describe('a visitor who cooks an image of their own', () => {
  let browser: Browser;
  let page: Page;
  let server: string;

  beforeAll(async () => {
    browser = await launchChromium();
    page = await openPage(browser, { bypassCSP: true });
  });
  afterAll(() => browser.close());
  beforeEach(() => keepPictureOnFailure(page));

  const text = () => page.getByLabel('Recipe as YAML');

  it('puts it together, and sees it as YAML', async () => {
    await page.goto('/cook');
    await page.getByLabel('Name', { exact: true }).fill('bakery');
    await page.getByLabel('Packages', { exact: true }).fill('jq curl');
    await page.getByLabel('Packages', { exact: true }).press('Enter');
    await page.getByRole('button', { name: 'Write a file' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Path').fill('/etc/bakery.conf');
    await dialog.getByLabel('Content').fill('bread: 1\n');
    await dialog.getByRole('button', { name: 'Put it in' }).click();
    await page.getByLabel('First-boot script').fill('#!/bin/sh\nhostname > /root/first-boot\n');
    const yaml = await text().inputValue();
    for (const part of ['name: bakery', '- jq\n', '- curl\n', 'path: /etc/bakery.conf', '#!/bin/sh\n']) {
      expect(yaml).toContain(part);
    }
    expect(await graveViolations(page)).toEqual([]);
    expect(await overflow(page)).toBe(0);
  });

  it('writes YAML, is told what is wrong at its line, and sees the form follow', async () => {
    const right = await text().inputValue();
    await text().fill(right.replace('- curl', '- no package'));
    const line = right.split('\n').findIndex((one) => one.includes('- curl')) + 1;
    const problem = page.getByRole('list', { name: 'What is wrong' }).getByRole('button');
    await problem.filter({ hasText: `Line ${line}` }).click();
    expect(await text().evaluate((area: { selectionStart: number }) => area.selectionStart)).toBe(
      right
        .split('\n')
        .slice(0, line - 1)
        .join('\n').length + 1,
    );
    await text().fill('name: [');
    await page.getByText('The recipe cannot be read as it stands').waitFor();
    await text().fill(right.replace('- curl', '- tree'));
    await page.getByRole('button', { name: 'Remove tree' }).waitFor();
    await page.getByText('Nothing is wrong with it').waitFor();
  });

  it('signs up, and finds the recipe as it was', async () => {
    await page.getByRole('link', { name: 'Sign in to cook' }).click();
    await page.getByRole('link', { name: 'Create an account' }).click();
    const { email, password } = newLogin();
    await page.getByLabel('E-mail').fill(email);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.getByRole('button', { name: 'Cook', exact: true }).waitFor();
    expect(await text().inputValue()).toContain('- tree');
  });

  it('is asked for a card first, and comes back to the recipe', async () => {
    await page.getByRole('button', { name: 'Cook', exact: true }).click();
    await page.getByRole('button', { name: 'Add a card' }).click();
    await submitCard(page, CARDS.works);
    await page.waitForURL(/\/recipes\/\d+$/);
    expect(await text().inputValue()).toContain('- tree');
  });

  it('has it cooked, and reads along', async () => {
    await page.getByRole('button', { name: 'Cook', exact: true }).click();
    await page.waitForURL(/\/cooks\/\d+$/);
    await page.getByRole('progressbar').waitFor();
    await page.getByRole('log').getByText('jq').first().waitFor({ timeout: COOKED_WITHIN_MILLISECONDS });
    expect(await graveViolations(page)).toEqual([]);
    await page
      .getByRole('heading', { name: 'Cooked: bakery', exact: true })
      .waitFor({ timeout: COOKED_WITHIN_MILLISECONDS });
    await page.getByLabel('Find a package').fill('tree');
    await page.getByRole('cell', { name: 'tree', exact: true }).first().waitFor();
    expect(await graveViolations(page)).toEqual([]);
  });

  it('orders a server of it, which has all of that', async () => {
    await page.getByRole('link', { name: 'Order a server' }).click();
    await page.getByRole('radio', { name: /A password/ }).click();
    server = await nameAndContinue(page);
    await order(page);
    await waitUntilServed(page, server);
    await page.getByRole('button', { name: 'Show the password once' }).click();
    const password = await textOf(page, 'copy-password');
    const access = await readAccess(page);
    const run = (command: string) => runBySsh({ ...access, secret: { password } }, command);
    expect(await run('cat /root/first-boot')).toBe(server);
    expect(await run('cat /etc/bakery.conf')).toBe('bread: 1');
    expect(await run('echo [1] | jq -c .; command -v tree')).toBe('[1]\n/usr/bin/tree');
  });

  it('changes the recipe, cooks again, and sees what is new', async () => {
    await page.goto('/recipes');
    await page.getByRole('link', { name: 'bakery', exact: true }).click();
    await page.getByLabel('Packages', { exact: true }).fill('sl');
    await page.getByLabel('Packages', { exact: true }).press('Enter');
    await page.getByRole('button', { name: 'Remove tree' }).click();
    await page.getByRole('button', { name: 'Cook', exact: true }).click();
    await page.waitForURL(/\/cooks\/\d+$/);
    const changes = page.getByRole('table', { name: 'Packages that differ' });
    await changes.waitFor({ timeout: COOKED_WITHIN_MILLISECONDS });
    expect(await changes.getByRole('row').filter({ hasText: /^sl/ }).textContent()).toContain('not there');
    expect(await changes.getByRole('row').filter({ hasText: /^tree/ }).textContent()).toContain('removed');
    const { recipes } = await askApi<z.output<typeof recipeListResponse>>(page, '/v1/recipes');
    expect(recipes.map(({ name, version }) => [name, version])).toEqual([['bakery', 2]]);
    const { cooks } = await askApi<z.output<typeof cookListResponse>>(page, '/v1/cooks');
    expect(cooks).toHaveLength(2);
  });

  it('looks at the versions, and goes on with the first one', async () => {
    await page.getByRole('link', { name: 'The recipe bakery' }).click();
    await page.getByRole('button', { name: 'Show version 1' }).click();
    await page.getByRole('button', { name: 'Go on with this one' }).click();
    await page.getByText('Not saved yet').waitFor();
    expect(await text().inputValue()).toContain('- tree');
    await page.getByRole('button', { name: 'Back to version 2' }).click();
  });

  it('deletes the server', async () => {
    await page.goto('/servers');
    await page.getByRole('link', { name: server }).click();
    await deleteServer(page, server);
  });
});
