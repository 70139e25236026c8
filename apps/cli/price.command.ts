import type { Command } from 'commander';
import { changePrice, firstPrice, type PriceItem, priceChangeDetail, priceVersions } from '#libs/billing';
import { formatMicro } from '#libs/kernel';
import { moneyClock, withInstallation } from './installation.ts';
import { invalid, parseMoment } from './options.ts';

interface SetOptions {
  readonly from?: string;
  readonly title?: string;
}

const ITEM = /^(compute|disk|image|address|snapshot|backup|volume)\/\S+$/;
/** Decimals of the major unit down to millionths of the minor one. */
const DECIMALS = 8;

export function registerPrice(program: Command): void {
  const price = program.command('price').description('what things cost by the hour, and since when');
  price.command('list').description('every price that was, is or will be').action(list);
  price
    .command('set')
    .description('changes a price from now on, or from a later moment; what was used before keeps its price')
    .argument('<item>', 'compute/s1, disk/s1, image/NAME, address/ipv4, snapshot/gib, backup/gib, volume/gib')
    .argument('<amount>', 'for an hour, in the currency: 0.00625')
    .option('--from <moment>', 'from when on: 2027-01-01T00:00:00Z')
    .option('--title <text>', 'what invoices call it; needed when it has no price yet')
    .action(set);
}

async function list(): Promise<void> {
  await withInstallation(async ({ dataSource }) => {
    for (const { item, title, effectiveFrom, hourlyMicro } of await priceVersions(dataSource.manager)) {
      const since = effectiveFrom.getTime() === 0 ? 'ever' : effectiveFrom.toISOString();
      const amount = formatMicro(hourlyMicro).slice(0, -2);
      process.stdout.write(`${item.padEnd(24)}  ${amount.padStart(14)}  ${since.padEnd(24)}  ${title}\n`);
    }
  });
}

async function set(code: string, amount: string, { from, title }: SetOptions): Promise<void> {
  const item = parseItem(code);
  const hourlyMicro = parseAmount(amount);
  const asked = from === undefined ? undefined : parseMoment('--from', from);
  await withInstallation(async (installation) => {
    const { dataSource, audit } = installation;
    const now = (await moneyClock(installation)).now();
    const effectiveFrom = asked ?? now;
    await dataSource.transaction(async (manager) => {
      const isNew = !(await priceVersions(manager)).some((version) => version.item === item);
      const write = (fromMicro: number | null) =>
        audit('price.change', item, manager, priceChangeDetail({ fromMicro, hourlyMicro, effectiveFrom }));
      if (!isNew) return write(await changePrice(manager, { item, hourlyMicro, effectiveFrom, now }));
      if (title === undefined)
        throw invalid(`${item} has no price yet: say with --title what invoices call it`);
      if (from !== undefined)
        throw invalid(`${item} has no price yet: its first one counts at once, without --from`);
      await firstPrice(manager, { item, title, hourlyMicro });
      await write(null);
    });
    process.stdout.write(`${item} costs ${amount} an hour from ${effectiveFrom.toISOString()} on\n`);
  });
}

function parseItem(text: string): PriceItem {
  if (ITEM.test(text)) return text as PriceItem;
  throw invalid(`"${text}" must be a component and a name, such as compute/s1`);
}

function parseAmount(text: string): number {
  const [, whole = '', decimals = ''] = /^(\d{1,6})(?:\.(\d{1,8}))?$/.exec(text) ?? [];
  if (whole === '')
    throw invalid(`"${text}" must be an amount of ${DECIMALS} decimals at most, such as 0.00625`);
  return Number(whole + decimals.padEnd(DECIMALS, '0'));
}
