import { randomUUID } from 'node:crypto';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { graveViolations } from './accessibility.fixture.ts';
import { keepPictureOnFailure, launchChromium, openPage } from './chromium.fixture.ts';
import { followMail, MAIL_WITHIN_MILLISECONDS, mailPage, mailsTo } from './mail.fixture.ts';
import { type Login, newLogin, signIn } from './visitor.fixture.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

async function signUp(page: Page, login: Login): Promise<void> {
  await page.goto('/sign-up');
  await page.getByLabel('E-mail').fill(login.email);
  await page.getByLabel('Password').fill(login.password);
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.getByRole('button', { name: /Account menu/ }).waitFor();
}

describe('mails', () => {
  it('lead a new customer to a confirmed address', async () => {
    const page = await openPage(browser, { bypassCSP: true });
    keepPictureOnFailure(page);
    const login = newLogin();
    await signUp(page, login);
    await page.goto('/account');
    await page.getByText('Your e-mail address is not confirmed yet').waitFor();
    expect(await graveViolations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Send the mail again' }).click();
    await page.getByText('Another mail is on its way').waitFor();
    const confirmed = await page.context().newPage();
    await followMail(confirmed, login.email, 'Confirm your e-mail address');
    await confirmed.getByText('Your address is confirmed').waitFor();
    expect(await graveViolations(confirmed)).toEqual([]);
    await page.getByRole('button', { name: 'I have confirmed it' }).click();
    await page.getByText('Your e-mail address is not confirmed yet').waitFor({ state: 'detached' });
    await confirmed.reload();
    await confirmed.getByText('Your address is confirmed').waitFor();
  });

  it('let somebody who forgot their password set a new one, which ends their sessions', async () => {
    const page = await openPage(browser, { bypassCSP: true });
    keepPictureOnFailure(page);
    const login = newLogin();
    await signUp(page, login);
    const elsewhere = await openPage(browser, { bypassCSP: true });
    keepPictureOnFailure(elsewhere);
    await elsewhere.goto('/sign-in');
    await elsewhere.getByRole('link', { name: 'Forgot your password?' }).click();
    await elsewhere.getByRole('heading', { name: 'Forgot your password?' }).waitFor();
    expect(await graveViolations(elsewhere)).toEqual([]);
    await elsewhere.getByLabel('E-mail').fill(login.email);
    await elsewhere.getByRole('button', { name: 'Send me the link' }).click();
    await elsewhere.getByText('Look into your mailbox').waitFor();
    expect(await graveViolations(elsewhere)).toEqual([]);
    await followMail(elsewhere, login.email, 'Set a new password');
    await elsewhere.getByLabel('New password').fill('too short');
    await elsewhere.getByRole('button', { name: 'Set this password' }).click();
    await elsewhere.getByText('Use at least 12 characters').waitFor();
    expect(await graveViolations(elsewhere)).toEqual([]);
    const renewed = { email: login.email, password: randomUUID() };
    await elsewhere.getByLabel('New password').fill(renewed.password);
    await elsewhere.getByRole('button', { name: 'Set this password' }).click();
    await elsewhere.getByText('Your new password is set').waitFor();
    expect(await graveViolations(elsewhere)).toEqual([]);
    await elsewhere.reload();
    await elsewhere.getByLabel('New password').fill(renewed.password);
    await elsewhere.getByRole('button', { name: 'Set this password' }).click();
    await elsewhere.getByText('This link has been used or is too old').waitFor();
    await page.goto('/account');
    await page.getByRole('heading', { name: 'Welcome back' }).waitFor();
    await signIn(page, renewed);
    await expect
      .poll(async () => (await mailsTo(login.email)).map(({ subject }) => subject), {
        timeout: MAIL_WITHIN_MILLISECONDS,
      })
      .toContain('Your password was changed');
  });

  it('can be read in their page', async () => {
    const page = await openPage(browser, { bypassCSP: true });
    keepPictureOnFailure(page);
    await page.goto(mailPage);
    await page.getByRole('heading', { name: 'Mail', exact: true }).waitFor();
    await page.getByRole('columnheader', { name: 'Subject' }).waitFor();
    expect(await graveViolations(page)).toEqual([]);
  });
});
