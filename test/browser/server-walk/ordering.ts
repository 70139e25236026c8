import { expect, it } from 'vitest';
import { graveViolations } from '../accessibility.fixture.ts';
import { runBySsh } from '../ssh.fixture.ts';
import {
  addCard,
  CARDS,
  chooseProduct,
  nameAndContinue,
  newLogin,
  order,
  readAccess,
  signUp,
  textOf,
  waitUntilServed,
} from '../visitor.fixture.ts';
import type { ServerWalk } from './server-walk.ts';

/** From the catalog to a web server with a password, on the page of its order. */
export function ordering(walk: ServerWalk): void {
  it('configures it, signs up on the way, and comes back from Checkout with a card', async () => {
    const { page } = walk;
    await chooseProduct(page, /web/i);
    await page.getByRole('radio', { name: /A password/ }).click();
    walk.name = await nameAndContinue(page);
    await signUp(page, newLogin());
    await addCard(page, CARDS.works);
    expect(await page.getByTestId('docket-name').textContent()).toBe(walk.name);
    expect(await page.getByText('Held on your card').isVisible()).toBe(true);
    expect(await graveViolations(page)).toEqual([]);
  });

  it('watches the real steps until the server is verified', async () => {
    const { page, name } = walk;
    await order(page);
    await page.getByRole('progressbar').waitFor();
    expect(await graveViolations(page)).toEqual([]);
    await waitUntilServed(page, name);
    expect(await graveViolations(page)).toEqual([]);
  });

  it('sees the password once and logs in with what the page shows', async () => {
    const { page, name } = walk;
    await page.getByRole('button', { name: 'Show the password once' }).click();
    const password = await textOf(page, 'copy-password');
    const access = await readAccess(page);
    walk.hostKey = access.hostKey;
    expect(await runBySsh({ ...access, secret: { password } }, 'hostname')).toBe(name);
    await page.reload();
    await page.getByText('The password has been shown').waitFor();
    expect(await page.getByText(password).count()).toBe(0);
  });

  it('finds a web page that answers with its name', async () => {
    const { page, name } = walk;
    const address = await page.locator('[data-service^="http"] a').first().getAttribute('href');
    const answer = await fetch(address ?? '', { signal: AbortSignal.timeout(30_000) });
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain(name);
  });
}
