import { beforeAll, describe, expect, it } from 'vitest';
import { serveryCli } from '../../test/support/servery-cli.ts';
import { testDatabase } from '../../test/support/test-database.ts';

const database = testDatabase();
const servery = serveryCli(() => ({ DATABASE_URL: database.url }));

async function settingOf(name: string): Promise<string | undefined> {
  const rows = (await servery('billing', 'show')).split('\n').map((row) => row.split(/ {2,}/));
  return rows.find(([first]) => first === name)?.[1];
}

it('servery billing shows what is set, and changes one thing at a time', async () => {
  expect(await settingOf('dunning.suspension-days')).toBe('7');
  await servery('billing', 'set', 'dunning.suspension-days', '9');
  await servery('billing', 'set', 'seller.country', 'DE');
  await servery('billing', 'set', 'seller.vat-id', 'DE123456789');
  await servery('billing', 'set', 'threshold.new', '5000');
  await servery('billing', 'set', 'stopped-compute', 'yes');
  const shown = await servery('billing', 'show');
  for (const value of [
    /suspension-days +9 /,
    /seller\.country +DE /,
    /vat-id +DE123456789 /,
    /new +5000 /,
    /compute +yes /,
  ]) {
    expect(shown).toMatch(value);
  }
  const audited = await servery('audit', '--subject', 'setting:dunning.suspension-days');
  expect(audited).toMatch(/setting\.change +setting dunning\.suspension-days .* from=7 {2}to=9\n$/);
});

const refused = [
  [['set', 'dunning.suspension-days', '30'], 'after the one before'],
  [['set', 'dunning.retry-hours', '0'], 'whole number from 1'],
  [['set', 'seller.country', 'Germany'], 'two capital letters'],
  [['set', 'seller.vat-id', 'XX1'], 'VAT'],
  [['set', 'credit-note-series', 'INV-'], 'cannot be credit-note-series'],
  [['set', 'stopped-compute', 'maybe'], 'yes or no'],
  [['set', 'colour', 'red'], 'there is no setting colour'],
  [['tax', 'DE', '19 %'], 'percentage'],
  [['tax', 'Germany', '19'], 'DE'],
] as const;

describe('servery billing', () => {
  let before = '';
  beforeAll(async () => {
    before = await servery('billing', 'show');
  });

  it.each(refused)('refuses %s', async (args, problem) => {
    await expect(servery('billing', ...args)).rejects.toThrow(problem);
  });

  it('has changed nothing that it refused', async () => {
    expect(await servery('billing', 'show')).toBe(before);
  });
});

it('servery billing tax sets a rate from a moment on, once', async () => {
  await servery('billing', 'tax', 'DE', '19', '--from', '2027-01-01T00:00:00Z');
  expect(await servery('billing', 'show')).toMatch(/tax DE +19 % from 2027-01-01T00:00:00\.000Z/);
  expect(await servery('audit', '--subject', 'tax:DE')).toMatch(/ percent="19" {2}since="2027-01-01T/);
  const again = servery('billing', 'tax', 'DE', '7.5', '--from', '2027-01-01T00:00:00Z');
  await expect(again).rejects.toThrow('has a rate from that moment on');
});
