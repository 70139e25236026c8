import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, it } from 'vitest';
import { keepPictureOnFailure, launchChromium, openPage } from './chromium.fixture.ts';
import { keeping } from './server-walk/keeping.ts';
import { managing } from './server-walk/managing.ts';
import { ordering } from './server-walk/ordering.ts';
import type { ServerWalk } from './server-walk/server-walk.ts';
import { deleteServer } from './visitor.fixture.ts';

describe('a visitor with a password and one server', () => {
  const walk = {} as ServerWalk;
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchChromium();
    // axe brings its script into the page, which our content security policy would refuse.
    walk.page = await openPage(browser, { bypassCSP: true });
  });
  afterAll(() => browser.close());
  beforeEach(() => keepPictureOnFailure(walk.page));

  ordering(walk);
  managing(walk);
  keeping(walk);

  it('finds all of it in the history', async () => {
    const history = walk.page.getByRole('listitem');
    await walk.page.getByRole('button', { name: 'Show older' }).click();
    for (const one of ['Roll back', 'Snapshot', 'Rebuild', 'Resize', 'Power on', 'Power off', 'Order'])
      await history
        .filter({ hasText: new RegExp(`^${one}done`) })
        .first()
        .waitFor();
  });

  it('deletes it after typing its name', async () => {
    await deleteServer(walk.page, walk.name);
    await walk.page.getByText('Nothing ordered yet').waitFor();
  });
});
