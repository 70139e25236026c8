import { closeDue } from '#libs/billing';
import { sleep } from '#libs/kernel';
import { PaymentError } from '#libs/payments';
import { collectDue, collectIssued, compareWithProvider, rechargeDue, sweepBalance } from '#libs/workflows';
import { act } from './acts.ts';
import { Chance } from './chance.ts';
import { dun } from './dun.ts';
import { lastingFaults, planDeath, TIMEOUT_MILLISECONDS } from './faults.ts';
import { Fleet } from './fleet.ts';
import { DAY, START } from './market.ts';
import type { Plan } from './plan.ts';
import { type Customer, MoneyRecord } from './record.ts';
import { rest } from './rest.ts';
import { addCustomer, type YearWorld } from './world.ts';

/** So long after midnight a day's closings come: by then, all usage before midnight has been told. */
const SETTLE = 300_000;
const HOUR = 3_600_000;

/** Lives through a plan, day by day, with everything going wrong that may. */
export class Year {
  readonly record = new MoneyRecord();
  private readonly chance: Chance;
  private readonly fleet: Fleet;
  private isRested = true;

  constructor(
    private readonly world: YearWorld,
    private readonly plan: Plan,
  ) {
    this.chance = new Chance(plan.size.seed ^ 0x5eed);
    this.fleet = new Fleet(world.dataSource, plan, (at) => Math.floor((at - START) / DAY));
  }

  /** @param onMonth is told when a month is over */
  async live(onMonth: (month: number) => Promise<void>): Promise<void> {
    const { world, plan } = this;
    for (const customer of plan.customers) await addCustomer(world, customer);
    await world.crew.start();
    world.payments.emulator.addFaults(lastingFaults(plan.size.seed));
    for (let day = 0; day <= plan.days; day += 1) {
      await this.turnDay(START + day * DAY + SETTLE);
      await this.day(day);
      const isFirst = new Date(START + day * DAY).getUTCDate() === 1;
      if (isFirst && day > 0) {
        await this.night();
        await onMonth(new Date(START + (day - 1) * DAY).getUTCMonth() + 1);
      }
    }
  }

  /**
   * No call takes a day. One that is under way while a day passes in an instant must meet a provider that still knows
   * its key, as whoever began it thought: so callers learn of the new day first, and the provider forgets last.
   */
  private async turnDay(moment: number): Promise<void> {
    await letTimePass(this.world);
    if (!this.isRested) {
      this.turnTo(moment - HOUR);
      await sleep(TIMEOUT_MILLISECONDS * 1.1);
      await letTimePass(this.world);
    }
    this.turnTo(moment);
  }

  private turnTo(moment: number): void {
    const { emulator } = this.world.payments;
    emulator.advance(Math.max(0, Math.floor(moment / 1000) - emulator.now()));
    this.world.crew.setClock(emulator.now() * 1000 - Date.now());
  }

  private async day(day: number): Promise<void> {
    const { world, plan, chance } = this;
    const isFirst = new Date(START + day * DAY).getUTCDate() === 1;
    const deaths = isFirst ? 3 : chance.happens(0.06) ? 1 : 0;
    for (let left = deaths; left > 0; left -= 1) world.crew.doom(planDeath(chance), chance.int(0, 1));
    const kill = chance.happens(isFirst ? 0.8 : 0.03) ? chance.int(20, 1500) : undefined;
    const which = chance.int(0, 1);
    const isRestless = chance.happens(0.4);
    if (kill !== undefined) setTimeout(() => world.crew.kill(which), kill);
    // The last day only closes the last month: what is used on it is not in the books of the year.
    await Promise.all([this.close(day), day < plan.days && this.fleet.tell(day), this.acts(day)]);
    await this.sweep();
    // The provider forgets a call's key after a day, so no call may be under way for longer.
    if (isRestless && this.isRested) this.isRested = false;
    else {
      await rest(world);
      this.isRested = true;
    }
  }

  private async acts(day: number): Promise<void> {
    const { world, record, plan } = this;
    for (const { what, customer, chance, code } of plan.money.filter((one) => one.day === day)) {
      const turn = { world, record, chance, code, at: new Date(START + day * DAY + SETTLE) };
      await act({ ...turn, customer: plan.customers[customer] as Customer }, what);
    }
  }

  /** What the worker does by the clock. */
  private async close(day: number): Promise<void> {
    const { dataSource, money } = this.world;
    const now = new Date(START + day * DAY + SETTLE);
    const { failures } = await closeDue(dataSource, now, collectIssued(money.store));
    if (failures[0]) throw failures[0].error;
    await rechargeDue(dataSource, money.store, now);
    await dun(this.world, now);
    await letTimePass(this.world);
    await collectDue(dataSource, money.store, now);
  }

  /** Lost webhooks are found; where the provider does not answer, the next sweep finds them. */
  private async sweep(): Promise<void> {
    await this.world.payments.events.repair().catch(bearOutage);
    const { deps } = this.world.money;
    await Promise.all([sweepBalance(deps), sweepBalance(deps)]).catch(bearOutage);
  }

  private async night(): Promise<void> {
    await compareWithProvider(this.world.money.deps).catch(bearOutage);
  }
}

/**
 * What PostgreSQL thinks is of this moment was so a day ago: `collectDue` leaves alone what ended within the hour, and
 * the keys of calls are taken for forgotten when they are old.
 */
export async function letTimePass({ dataSource }: YearWorld): Promise<void> {
  await dataSource.query(
    `UPDATE sagas SET finished_at = finished_at - interval '1 day' WHERE finished_at > now() - interval '2 hours'`,
  );
  await dataSource.query(
    `UPDATE payment_calls SET begun_at = begun_at - interval '1 day' WHERE begun_at > now() - interval '2 hours'`,
  );
}

function bearOutage(error: unknown): void {
  if (!(error instanceof PaymentError)) throw error;
}
