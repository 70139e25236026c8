import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CatalogResponse, ProductWire } from '#libs/contracts';
import { graveViolations, overflow } from './accessibility.fixture.ts';
import { keepPictureOnFailure, launchChromium, openPage } from './chromium.fixture.ts';
import { askApi } from './visitor.fixture.ts';

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true } as const;

describe.each([
  ['a desk', {}],
  ['a phone', PHONE],
] as const)('the shop window, on %s', (_, options) => {
  let browser: Browser;
  let page: Page;
  let product: ProductWire;

  beforeAll(async () => {
    browser = await launchChromium();
    page = await openPage(browser, { bypassCSP: true, ...options });
    await page.goto('/');
    const { products } = await askApi<CatalogResponse>(page, '/v1/catalog');
    const web = products.find(({ name }) => name === 'web');
    if (!web) throw new Error('the catalog has no web');
    product = web;
  });
  afterAll(() => browser.close());
  beforeEach(() => keepPictureOnFailure(page));

  const titles = () => page.getByRole('article').getByRole('heading').allTextContents();

  it('has all that is on sale, and a way to what is not', async () => {
    const { products } = await askApi<CatalogResponse>(page, '/v1/catalog');
    await page.getByRole('article').first().waitFor();
    expect((await titles()).toSorted()).toEqual(products.map(({ title }) => title).toSorted());
    const own = page.getByRole('main').getByRole('link', { name: 'Cook your own' });
    expect(await own.getAttribute('href')).toBe('/cook');
    expect(await graveViolations(page)).toEqual([]);
    expect(await overflow(page)).toBe(0);
  });

  it('is looked through by category, and the choice can be passed on', async () => {
    await page.getByRole('navigation', { name: 'Categories' }).getByRole('link', { name: /^Web/ }).click();
    await page.waitForURL('**/?category=web');
    expect(await titles()).toContain(product.title);
    expect(await titles()).not.toContain('Debian 12');
    await page.reload();
    await page.getByRole('link', { name: product.title, exact: true }).waitFor();
    expect(await titles()).not.toContain('Debian 12');
    await page.getByRole('navigation', { name: 'Categories' }).getByRole('link', { name: /^All/ }).click();
  });

  it('finds while one types, and says when it finds nothing', async () => {
    await page.getByLabel('Find in the catalog').fill('nginx');
    await page.getByText('1 product found').waitFor({ state: 'attached' });
    expect(await titles()).toEqual([product.title]);
    await page.getByLabel('Find in the catalog').fill('no such thing');
    await page.getByRole('heading', { name: 'Nothing like it on the shelf' }).waitFor();
    expect(await graveViolations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Show everything' }).click();
    await page.getByRole('link', { name: product.title, exact: true }).click();
    await page.getByRole('heading', { level: 1, name: product.title }).waitFor();
  });

  it('says of a product what it is, and how it is handed over', async () => {
    await page.getByRole('heading', { name: 'How it is handed over' }).waitFor();
    await page.getByText('HTTP port 80 answers / with 200').waitFor();
    const glance = page.getByRole('region', { name: 'At a glance' });
    expect(await glance.textContent()).toContain(`${product.packages_count} packages`);
    expect(await glance.getByText('Last cooked').count()).toBe(1);
    expect(await glance.getByText('Last verified').count()).toBe(product.verified_at === null ? 0 : 1);
    expect(await page.getByText(product.licence).count()).toBe(1);
  });

  it('shows every package with its version, found while one types', async () => {
    const table = page.getByRole('table', { name: 'Packages' });
    await table.locator('tbody tr').nth(49).waitFor();
    await page.getByRole('button', { name: 'Show more' }).click();
    await table.locator('tbody tr').nth(50).waitFor();
    await page.getByLabel('Find a package').fill('nginx');
    await page.getByText(/^\d packages? found$/).waitFor();
    const [found] = (await askApi<Found>(page, '/v1/catalog/web/packages?name=nginx')).packages;
    const row = table.getByRole('row').filter({ hasText: /^nginx\d/ });
    expect(await row.getByRole('cell').nth(1).textContent()).toBe(found?.version);
    expect(await graveViolations(page)).toEqual([]);
    expect(await overflow(page)).toBe(0);
    await page.getByLabel('Find a package').fill('no-such-package');
    await page.getByText('0 packages found').waitFor();
  });

  it('hands out the bill of materials as it was cooked', async () => {
    const download = page.waitForEvent('download');
    await page.getByRole('link', { name: /Bill of materials/ }).click();
    const chunks: Buffer[] = [];
    for await (const chunk of await (await download).createReadStream()) chunks.push(chunk as Buffer);
    const bill = JSON.parse(Buffer.concat(chunks).toString());
    expect([bill.bomFormat, bill.specVersion]).toEqual(['CycloneDX', '1.6']);
    expect(bill.components).toHaveLength(product.packages_count);
  });
});

interface Found {
  readonly packages: readonly { readonly name: string; readonly version: string }[];
}
