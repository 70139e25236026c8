import type { Command } from 'commander';
import { setTaxRate, taxRates } from '#libs/billing';
import { changeSetting, knownSettings, SETTINGS, settingOf } from './billing-settings.ts';
import { moneyClock, withInstallation } from './installation.ts';
import { invalid, parseMoment } from './options.ts';

export function registerBilling(program: Command): void {
  const billing = program
    .command('billing')
    .description('who sells, taxes, and what happens when nobody pays');
  billing.command('show').description('every setting, and the rates of tax').action(show);
  billing
    .command('set')
    .description('changes a setting; invoices that were issued stay as they are')
    .argument('<name>', 'as `billing show` lists it: seller.name, dunning.suspension-days')
    .argument('<value>', 'amounts in minor units of the currency')
    .action(set);
  billing
    .command('tax')
    .description('sets the tax of a country from now on, or from a later moment')
    .argument('<country>', 'two letters of ISO 3166: DE')
    .argument('<percent>', 'up to two decimals: 19')
    .option('--from <moment>', 'from when on: 2027-01-01T00:00:00Z')
    .action(tax);
}

async function show(): Promise<void> {
  await withInstallation(async ({ dataSource: { manager } }) => {
    const known = await knownSettings(manager);
    for (const [name, { what }] of Object.entries(SETTINGS)) {
      process.stdout.write(
        `${name.padEnd(28)}  ${String(settingOf(known, name) ?? '').padEnd(24)}  ${what}\n`,
      );
    }
    for (const { country, effectiveFrom, basisPoints } of await taxRates(manager)) {
      process.stdout.write(
        `tax ${country.padEnd(24)}  ${basisPoints / 100} % from ${effectiveFrom.toISOString()}\n`,
      );
    }
  });
}

async function set(name: string, value: string): Promise<void> {
  await withInstallation(({ dataSource, audit }) =>
    dataSource.transaction(async (manager) => {
      const before = settingOf(await knownSettings(manager), name);
      await changeSetting(manager, name, value);
      const after = settingOf(await knownSettings(manager), name);
      await audit('setting.change', name, manager, { from: before ?? null, to: after ?? null });
    }),
  );
  process.stdout.write(`✔ ${name} is ${value}\n`);
}

async function tax(country: string, percent: string, { from }: { readonly from?: string }): Promise<void> {
  if (!/^\d{1,2}(\.\d{1,2})?$/.test(percent))
    throw invalid(`"${percent}" must be a percentage such as 19 or 7.5`);
  const asked = from === undefined ? undefined : parseMoment('--from', from);
  const basisPoints = Math.round(Number(percent) * 100);
  await withInstallation(async (installation) => {
    const effectiveFrom = asked ?? (await moneyClock(installation)).now();
    await installation.dataSource.transaction(async (manager) => {
      await setTaxRate(manager, { country, effectiveFrom, basisPoints });
      const detail = { percent, since: effectiveFrom.toISOString() };
      await installation.audit('tax.change', country, manager, detail);
    });
    process.stdout.write(`✔ the tax of ${country} is ${percent} % from ${effectiveFrom.toISOString()} on\n`);
  });
}
