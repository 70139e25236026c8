import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { graveViolations } from '../accessibility.fixture.ts';
import { runBySsh } from '../ssh.fixture.ts';
import { act, askApi, readAccess, SERVED_WITHIN_MILLISECONDS, textOf } from '../visitor.fixture.ts';
import { DONE_WITHIN_MILLISECONDS, type ServerWalk } from './server-walk.ts';

/** What an owner does with a server: ends with one that was rebuilt from a bare image. */
export function managing(walk: ServerWalk): void {
  it('labels it; a label that cannot be one is refused beside its field', async () => {
    const { page, name } = walk;
    await page.getByRole('link', { name: `Manage ${name}` }).click();
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
    const { page, name } = walk;
    await page.getByRole('button', { name: 'Edit labels' }).click();
    const team = page.getByRole('group').filter({ has: page.locator('input[value="team"]') });
    await team.getByRole('button', { name: /Remove label/ }).click();
    await page.getByRole('button', { name: 'Save labels' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await namesOfServers(page, '!team')).toEqual([name]);
  });

  it('renames it', async () => {
    const { page } = walk;
    await act(page, 'Rename');
    await page.getByLabel('New name').fill('Not A Name');
    await page.getByRole('button', { name: 'Rename' }).click();
    await page.getByText('Use lower-case letters').waitFor();
    walk.name = `${walk.name}-b`;
    await page.getByLabel('New name').fill(walk.name);
    await page.getByRole('button', { name: 'Rename' }).click();
    await page.getByRole('heading', { name: walk.name, level: 1 }).waitFor();
  });

  it('powers it off and on, and sees each step', async () => {
    const { page } = walk;
    await act(page, 'Power off now');
    await page.getByRole('alertdialog').getByRole('button', { name: 'Power off now' }).click();
    await page.getByText('It is off', { exact: true }).waitFor({ timeout: DONE_WITHIN_MILLISECONDS });
    await page.locator('[data-status="off"]').waitFor();
    await act(page, 'Power on');
    await page.getByText('It is on', { exact: true }).waitFor({ timeout: DONE_WITHIN_MILLISECONDS });
    await page.locator('[data-status="running"]').waitFor();
    await act(page, 'Power off now');
    await page.getByRole('alertdialog').getByRole('button', { name: 'Power off now' }).click();
    await page.locator('[data-status="off"]').waitFor({ timeout: DONE_WITHIN_MILLISECONDS });
  });

  it('resizes it, and sees what it costs before and after', async () => {
    const { page } = walk;
    await act(page, 'Resize');
    const dialog = page.getByRole('alertdialog');
    const confirm = dialog.getByRole('button', { name: 'Resize and start it' });
    expect(await confirm.isDisabled()).toBe(true);
    await dialog.getByRole('radio', { name: /^s2/ }).click();
    const prices = await dialog.getByTestId('prices').textContent();
    expect(prices).toMatch(/Now.*an hour.*Then.*an hour/);
    await dialog.getByRole('checkbox', { name: /Grow its disk too/ }).waitFor();
    expect(await graveViolations(page)).toEqual([]);
    await confirm.click();
    await page.getByText('It has its new size').waitFor({ timeout: DONE_WITHIN_MILLISECONDS });
    await page.getByText('s2: 2 vCPUs').waitFor();
    await page.locator('[data-status="running"]').waitFor();
    await page.getByRole('heading', { name: 'What it uses' }).waitFor();
  });

  it('protects it, and takes the protection away again', async () => {
    const { page } = walk;
    const guard = page.getByRole('checkbox', { name: 'It cannot be deleted' });
    await guard.click();
    await expect.poll(() => guard.isEnabled()).toBe(true);
    await page.reload();
    await page.getByRole('checkbox', { name: 'It cannot be deleted', checked: true }).waitFor();
    await page.getByRole('button', { name: 'Actions', exact: true }).click();
    await page.getByText('It is protected; its page takes that away.').waitFor();
    expect(await graveViolations(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await guard.click();
    await page.getByRole('checkbox', { name: 'It cannot be deleted', checked: false }).waitFor();
  });

  it('works in another project, where the server is not, and comes back', async () => {
    const { page, name } = walk;
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
    const { page, name } = walk;
    await act(page, 'Rebuild');
    const dialog = page.getByRole('alertdialog');
    await dialog.getByRole('radio', { name: /^Debian/ }).click();
    const confirm = dialog.getByRole('button', { name: 'Erase and rebuild' });
    expect(await confirm.isDisabled()).toBe(true);
    expect(await graveViolations(page)).toEqual([]);
    await dialog.getByLabel(`Type ${name}`).fill(name);
    await confirm.click();
    await page.getByRole('progressbar', { name: /Rebuilding/ }).waitFor();
    await page.getByRole('list', { name: 'Steps' }).locator('li').nth(3).waitFor();
    await page
      .getByText('It is rebuilt, checked and running', { exact: true })
      .waitFor({ timeout: SERVED_WITHIN_MILLISECONDS });
  });

  it('gets a new password with it', async () => {
    const { page } = walk;
    await page.getByRole('button', { name: 'Show the password once' }).click();
    walk.password = await textOf(page, 'copy-password');
    expect(walk.password.length).toBeGreaterThan(11);
    const { hostKey } = await readAccess(page);
    expect(hostKey).not.toBe(walk.hostKey);
  });

  it('logs in with what the page shows, as the name that it has now', async () => {
    const { page, name, password } = walk;
    await page.reload();
    const access = await readAccess(page);
    expect(await runBySsh({ ...access, secret: { password } }, 'hostname')).toBe(name);
  });
}

async function namesOfServers(page: Page, selector: string): Promise<string[]> {
  const path = `/v1/servers?label_selector=${encodeURIComponent(selector)}`;
  const { servers } = await askApi<{ servers: { name: string }[] }>(page, path);
  return servers.map((server) => server.name);
}
