import type { Chance } from './chance.ts';
import { CODES, DAY, FIRST_PRICES, IMAGES, RESIDENCES, START, TYPES } from './market.ts';
import type { Customer, CustomerKind, PriceChange, ServerLife, UsageAct } from './record.ts';

/** How large the simulated year is; one of fewer months is a year cut short. */
export interface YearSize {
  readonly seed: number;
  readonly customers: number;
  readonly servers: number;
  readonly months: number;
}

export const MONEY_ACTS = [
  'goodCard',
  'badCard',
  'topUp',
  'redeem',
  'grant',
  'refund',
  'refundByHand',
  'failRefund',
  'failPayout',
  'dispute',
  'decideDispute',
  'payElsewhere',
  'payByHand',
  'voidByHand',
  'writeOffByHand',
] as const;

/** Something that somebody does on a day. What it is done to, `chance` chooses when the day has come. */
export interface MoneyAct {
  readonly day: number;
  readonly what: (typeof MONEY_ACTS)[number];
  readonly customer: number;
  readonly chance: number;
  readonly code: string;
}

export interface Plan {
  readonly size: YearSize;
  readonly days: number;
  readonly customers: readonly Customer[];
  readonly servers: readonly ServerLife[];
  readonly prices: readonly PriceChange[];
  readonly money: readonly MoneyAct[];
}

/** Ids follow from the seed as well, so that a year lived through again names the same ones. */
const FIRST_ACCOUNT = 1000;
const FIRST_SERVER = 1_000_000;

const KINDS: Readonly<Record<CustomerKind, number>> = {
  good_card: 45,
  declined_later: 8,
  disputing_card: 5,
  replaced_card: 12,
  no_card: 8,
  prepaid: 8,
  recharged: 5,
  terms: 9,
};

/** How often each thing is done in a month, for each customer. */
const MONTHLY: Readonly<Record<MoneyAct['what'], number>> = {
  goodCard: 0.06,
  badCard: 0.04,
  topUp: 0.12,
  redeem: 0.1,
  grant: 0.05,
  refund: 0.15,
  refundByHand: 0.02,
  failRefund: 0.08,
  failPayout: 0.02,
  dispute: 0.06,
  decideDispute: 0.06,
  payElsewhere: 0.1,
  payByHand: 0.06,
  voidByHand: 0.02,
  writeOffByHand: 0.02,
};

export function planYear(size: YearSize, chance: Chance): Plan {
  const days = Math.round((Date.UTC(2032, size.months) - START) / DAY);
  const kinds = Object.keys(KINDS) as CustomerKind[];
  const customers = Array.from({ length: size.customers }, (_, index): Customer => {
    // Of small numbers of customers, each kind is one.
    const kind = index < kinds.length ? (kinds[index] as CustomerKind) : chance.weighted(KINDS);
    return { accountId: FIRST_ACCOUNT + index, kind, ...chance.pick(RESIDENCES) };
  });
  const servers = Array.from({ length: size.servers }, (_, index) =>
    planServer(index, customers.length, days, chance),
  );
  const money = [...planMoney(size, chance), ...planHabits(customers, size, chance)];
  return { size, days, customers, servers, prices: planPrices(days, chance), money };
}

function planServer(index: number, customers: number, days: number, chance: Chance): ServerLife {
  // A few customers have most of the servers.
  const customer = Math.floor(chance.draw() ** 1.7 * customers);
  const acts = planLife(START + Math.floor(chance.draw() * days * DAY), START + days * DAY, chance);
  return { serverId: FIRST_SERVER + index, name: `vm-${index}`, customer, image: chance.pick(IMAGES), acts };
}

const LIFE: Readonly<Record<'moment' | 'hours' | 'days' | 'months' | 'ever', number>> = {
  moment: 6,
  hours: 18,
  days: 26,
  months: 25,
  ever: 25,
};

/** What happens to a server from its opening on: never two things within a second, and nothing after its closing. */
function planLife(opened: number, end: number, chance: Chance): UsageAct[] {
  const life = lifeSeconds(chance) * 1000;
  const until = Math.min(opened + life, end);
  let type: string = chance.pick(TYPES);
  const acts: UsageAct[] = [{ what: 'open', at: opened, type }];
  let isRunning = true;
  const slots: string[] = [];
  const moments = Array.from({ length: chance.int(0, 6) }, () => opened + chance.draw() * (until - opened));
  let last = opened;
  for (const moment of moments.sort((a, b) => a - b)) {
    const at = Math.max(Math.floor(moment), last + 1000);
    if (at >= until - 1000) break;
    last = at;
    const what = chance.weighted({ resize: 3, power: 4, snapshot: 2 });
    if (what === 'resize') {
      type = chance.pick(TYPES.filter((other) => other !== type));
      acts.push({ what, at, type });
    } else if (what === 'power') {
      isRunning = !isRunning;
      acts.push({ what: isRunning ? 'start' : 'stop', at });
    } else if (slots.length > 0 && chance.happens(0.5)) {
      acts.push({ what: 'drop', at, slot: slots.pop() as string });
    } else {
      const slot = `snapshot-${acts.length}`;
      slots.push(slot);
      acts.push({ what: 'keep', at, slot, gib: chance.int(1, 80) });
    }
  }
  if (opened + life < end) acts.push({ what: 'close', at: Math.max(Math.floor(until), last + 1000) });
  return acts;
}

function lifeSeconds(chance: Chance): number {
  switch (chance.weighted(LIFE)) {
    case 'moment':
      return chance.int(1, 70);
    case 'hours':
      return chance.int(70, 40_000);
    case 'days':
      return chance.int(40_000, 30 * 86_400);
    case 'months':
      return chance.int(30 * 86_400, 200 * 86_400);
    default:
      return 400 * 86_400;
  }
}

/** Each month some prices change: at once, or announced for later. */
function planPrices(days: number, chance: Chance): PriceChange[] {
  const changes = Array.from({ length: Math.ceil(days / 15) }, (): PriceChange => {
    const item = chance.pick(Object.keys(FIRST_PRICES));
    const toldAt = START + Math.floor(chance.draw() * days * DAY);
    const wait = chance.happens(0.4) ? 1000 : chance.draw() * 20 * DAY;
    const hourlyMicro = Math.round((FIRST_PRICES[item as never] as number) * (0.8 + chance.draw() * 0.6));
    return { item, toldAt, from: Math.ceil((toldAt + wait) / 1000) * 1000, hourlyMicro };
  });
  return changes.sort((a, b) => a.toldAt - b.toldAt);
}

/** Who has terms pays by bank, mostly; who pays before pays in. */
function planHabits(customers: readonly Customer[], { months }: YearSize, chance: Chance): MoneyAct[] {
  return customers.flatMap(({ kind }, customer) => {
    const what = kind === 'terms' ? 'payElsewhere' : kind === 'prepaid' ? 'topUp' : undefined;
    if (what === undefined) return [];
    return Array.from({ length: months }, (_, month): MoneyAct => {
      const day = Math.max(2, month * 30 + chance.int(3, 28));
      return { day, what, customer, chance: chance.draw(), code: chance.pick(CODES) };
    });
  });
}

function planMoney({ customers, months }: YearSize, chance: Chance): MoneyAct[] {
  return MONEY_ACTS.flatMap((what) => {
    const times = Math.max(1, Math.round(MONTHLY[what] * customers * months));
    return Array.from({ length: times }, (): MoneyAct => {
      const day = chance.int(2, months * 30);
      const customer = chance.int(0, customers - 1);
      return { day, what, customer, chance: chance.draw(), code: chance.pick(CODES) };
    });
  });
}
