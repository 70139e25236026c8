import { randomUUID } from 'node:crypto';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';

/** From start to a verified answer, under emulation and on a busy machine. */
export const SERVED_WITHIN_MILLISECONDS = 8 * 60_000;

export interface Login {
  readonly email: string;
  readonly password: string;
}

/** The logins and test cards of a new visitor. */
export function newLogin(): Login {
  return { email: `visitor-${randomUUID()}@example.com`, password: randomUUID() };
}

export const CARDS = {
  works: '4242 4242 4242 4242',
  declinedWhenSaved: '4000 0000 0000 0002',
  declinedWhenHeld: '4000 0000 0000 0341',
  /** The bank wants a confirmation when it is saved and at each payment. */
  asksTheBank: '4000 0027 6000 3184',
} as const;

/** From the catalog to the configuration of the cheapest size that is in stock. */
export async function chooseProduct(page: Page, title: string | RegExp): Promise<void> {
  await page.goto('/');
  await page.getByRole('article').getByRole('link', { name: title }).click();
  await page.getByRole('link', { name: 'Configure yours' }).click();
  await page.getByRole('heading', { name: 'How will you log in?' }).waitFor();
}

/** Gives the server its name and goes on. @returns the name */
export async function nameAndContinue(page: Page): Promise<string> {
  const name = `walk-${randomUUID().slice(0, 8)}`;
  await page.getByLabel('Server name').fill(name);
  await page.getByRole('button', { name: 'Continue' }).click();
  return name;
}

export async function signUp(page: Page, login: Login): Promise<void> {
  await page.getByLabel('E-mail').fill(login.email);
  await page.getByLabel('Password').fill(login.password);
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.getByRole('heading', { name: 'Check and pay' }).waitFor();
}

export async function signIn(page: Page, login: Login): Promise<void> {
  await page.goto('/sign-in');
  await page.getByLabel('E-mail').fill(login.email);
  await page.getByLabel('Password').fill(login.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'My servers' }).waitFor();
}

/** Fills the hosted card page, which a button of ours has opened, and sends it. */
export async function submitCard(page: Page, number: string): Promise<void> {
  await page.getByLabel('Card number').fill(number);
  await page.getByLabel('Expiry').fill('12 / 34');
  await page.getByLabel('Security code').fill('123');
  await page.getByLabel('Name on card').fill('Ada Visitor');
  await page.getByRole('button', { name: 'Save card' }).click();
}

/** Adds a card on the way to an order. */
export async function addCard(page: Page, number: string): Promise<void> {
  await page.getByRole('button', { name: 'Add a card' }).click();
  await submitCard(page, number);
  await page.getByText(`ending in ${number.slice(-4)}`).waitFor();
}

/** Goes from the catalog to the payment page as somebody who is signed in. @returns the server's name */
export async function configureAgain(page: Page, title: RegExp): Promise<string> {
  await chooseProduct(page, title);
  await page.getByRole('radio', { name: /A password/ }).click();
  const name = await nameAndContinue(page);
  await page.getByRole('heading', { name: 'Check and pay' }).waitFor();
  return name;
}

/** Places the order. @returns when the order's own page shows its steps */
export async function order(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Order and pay' }).click();
  await page.waitForURL(/\/orders\/\d+$/);
}

/** Follows the live progress to its good end. */
export async function waitUntilServed(page: Page, name: string): Promise<void> {
  const steps = page.getByRole('list', { name: 'Steps' }).locator('li');
  // More than a few, and those of this page: a list of the one before it may still be there.
  await steps.nth(3).waitFor();
  await page
    .getByRole('heading', { name: `${name} is served` })
    .waitFor({ timeout: SERVED_WITHIN_MILLISECONDS });
}

/** The text of one element that has a test id. */
export async function textOf(page: Page, testId: string): Promise<string> {
  return (await page.getByTestId(testId).textContent()) ?? '';
}

/** Where the page says that the server is: the words of its SSH command, its web address, its host key. */
export async function readAccess(page: Page) {
  const command = await textOf(page, 'copy-ssh command');
  const port = Number(/-p (\d+)/.exec(command)?.[1] ?? 22);
  const host = /root@(\S+)/.exec(command)?.[1] ?? '';
  await page.getByText('Its SSH host key').click();
  return { command, host, port, hostKey: await textOf(page, 'copy-host key') };
}

/** Chooses one of the server's actions and answers its question. */
export async function act(page: Page, label: string): Promise<void> {
  await page.getByRole('button', { name: 'Actions', exact: true }).click();
  await page.getByRole('menuitem', { name: label }).click();
}

/** What the API answers to the session of the page. */
export function askApi<T>(page: Page, path: string): Promise<T> {
  return page.evaluate<T>(`fetch(${JSON.stringify(path)}).then((answer) => answer.json())`);
}

export async function deleteServer(page: Page, name: string): Promise<void> {
  await act(page, 'Delete');
  const confirm = page.getByRole('button', { name: 'Delete for good' });
  expect(await confirm.isDisabled()).toBe(true);
  await page.getByLabel(`Type ${name}`).fill(name);
  await confirm.click();
  await page.waitForURL('**/servers');
  await page.getByRole('link', { name }).waitFor({ state: 'detached', timeout: 120_000 });
}
