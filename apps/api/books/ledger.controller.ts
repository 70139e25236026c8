import { Controller, Get, Inject, Query } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { z } from 'zod';
import {
  costsByMonth,
  type EntryFilter,
  LEDGER_UNITS,
  type LedgerAccount,
  ledgerEntries,
  ledgerSums,
  receivablesByAge,
  revenueByMonth,
} from '#libs/billing';
import {
  ledgerEntryListQuery,
  ledgerEntryListResponse,
  receivablesResponse,
  revenueQuery,
  revenueResponse,
} from '#libs/contracts';
import type { Clock } from '#libs/kernel';
import { MONEY_CLOCK } from '#libs/payments';
import { ApiError } from '../http/api-error.ts';
import { Endpoint } from '../http/endpoint.ts';
import { metaOf, toListQuery } from '../http/list-query.ts';
import { presentCost, presentEntry, presentRevenue, presentSum } from './books.presenter.ts';

const DEFAULT_MONTHS = 12;

/** What the books say, and the entries that it comes from. */
@Controller('v1/books')
export class LedgerController {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(MONEY_CLOCK) private readonly clock: Clock,
  ) {}

  @Get('entries')
  @Endpoint({
    summary: 'Entries of the ledger by account, customer, cause or time, and what they sum to',
    access: 'operator',
    response: ledgerEntryListResponse,
  })
  async entries(@Query({ schema: ledgerEntryListQuery }) parsed: z.output<typeof ledgerEntryListQuery>) {
    const { page, per_page } = parsed;
    const query = toListQuery({ page, per_page });
    const filter = entryFilter(parsed);
    const { manager } = this.dataSource;
    const sums = await ledgerSums(manager, filter);
    const items = await ledgerEntries(manager, {
      ...filter,
      limit: query.perPage,
      offset: (query.page - 1) * query.perPage,
    });
    const total = sums.reduce((count, { entries }) => count + entries, 0);
    return {
      entries: items.map(presentEntry),
      sums: sums.map(presentSum),
      meta: metaOf(query, { items, total }),
    };
  }

  @Get('revenue')
  @Endpoint({
    summary: 'What the use of each month has earned, by product, and what was posted as a cost in it',
    access: 'operator',
    response: revenueResponse,
  })
  async revenue(@Query({ schema: revenueQuery }) asked: z.output<typeof revenueQuery>) {
    const until = monthAfter(asked.until ?? this.clock.now(), 1);
    const from = asked.from ?? monthAfter(until, -DEFAULT_MONTHS);
    const { manager } = this.dataSource;
    const lines = await revenueByMonth(manager, { from, until });
    const costs = await costsByMonth(manager, { from, until });
    return { revenue: lines.map(presentRevenue), costs: costs.map(presentCost) };
  }

  @Get('receivables')
  @Endpoint({
    summary: 'What is owed, by how long it has been due',
    access: 'operator',
    response: receivablesResponse,
  })
  async receivables() {
    const ages = await receivablesByAge(this.dataSource.manager, this.clock.now());
    return { receivables: ages.map(({ openMinor, ...age }) => ({ ...age, open_minor: openMinor })) };
  }
}

function entryFilter(asked: z.output<typeof ledgerEntryListQuery>): EntryFilter {
  const { account, customer_id: customerId, cause_kind: kind, cause_id: id, from, until, month } = asked;
  if (account !== undefined && !Object.hasOwn(LEDGER_UNITS, account)) {
    throw refusal('account', `must be one of ${Object.keys(LEDGER_UNITS).join(', ')}`);
  }
  if (id !== undefined && kind === undefined) throw refusal('cause_kind', 'must be given with cause_id');
  return {
    ...(account !== undefined && { account: account as LedgerAccount }),
    ...(customerId !== undefined && { customerId }),
    ...(kind !== undefined && { cause: { kind, ...(id !== undefined && { id }) } }),
    ...(from !== undefined && { from: new Date(from) }),
    ...(until !== undefined && { until: new Date(until) }),
    ...(month !== undefined && { usedInMonth: month }),
  };
}

function refusal(name: string, message: string): ApiError {
  return new ApiError('invalid_input', `${name} ${message}`, { fields: [{ name, messages: [message] }] });
}

/** The first moment of the UTC month so many months after that of a moment. */
function monthAfter(moment: Date, months: number): Date {
  return new Date(Date.UTC(moment.getUTCFullYear(), moment.getUTCMonth() + months));
}
