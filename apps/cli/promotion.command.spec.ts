import { expect, it } from 'vitest';
import { ensureBooks, redeemPromotionCode } from '#libs/billing';
import { newId } from '#libs/kernel';
import { serveryCli } from '../../test/support/servery-cli.ts';
import { testDatabase } from '../../test/support/test-database.ts';

const database = testDatabase();
const servery = serveryCli(() => ({ DATABASE_URL: database.url }));

it('servery promotion makes a code, says how often it was redeemed, and ends it', async () => {
  const made = ['--note', 'Summer', '--valid-days', '30', '--accounts', '3'];
  expect(await servery('promotion', 'create', 'summer-26', '500', ...made)).toContain('SUMMER-26');
  await expect(servery('promotion', 'create', 'SUMMER-26', '1', '--note', 'x')).rejects.toThrow('already');
  const redemption = { accountId: newId(), code: 'SUMMER-26', currency: 'eur', at: new Date() };
  await database.dataSource.transaction(async (manager) => {
    await ensureBooks(manager, redemption.accountId, 'eur', redemption.at);
    await redeemPromotionCode(manager, redemption);
  });
  expect(await servery('promotion', 'list')).toMatch(
    /^SUMMER-26 +EUR 5\.00 +redeemed 1, 2 left +until ended/,
  );
  expect(await servery('promotion', 'end', 'summer-26')).toContain('redeemed 1 times');
  const late = { ...redemption, accountId: newId(), at: new Date() };
  await expect(
    database.dataSource.transaction((manager) => redeemPromotionCode(manager, late)),
  ).rejects.toMatchObject({ code: 'promotion_code_expired' });
  const audited = await servery('audit', '--subject', 'promotion:SUMMER-26');
  expect(audited).toMatch(/promotion\.end .* redeemed=1\n.*promotion\.create .* amount_minor=500 /);
});

it.each([
  [['create', 'AB', '1', '--note', 'x'], '3 to 40 letters'],
  [['create', 'ABC', '1.5', '--note', 'x'], 'whole number'],
  [['create', 'ABC', '1', '--note', 'x', '--until', 'tomorrow'], 'a moment with its zone'],
  [['end', 'NONE'], 'there is no code NONE'],
] as const)('servery promotion refuses %s', async (args, problem) => {
  await expect(servery('promotion', ...args)).rejects.toThrow(problem);
});
