import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { z } from 'zod';
import {
  collectionsOf,
  countInvoiceLines,
  countInvoices,
  creditNotes,
  invoice,
  invoiceLines,
  invoiceSettlements,
  invoices,
} from '#libs/billing';
import {
  byId,
  invoiceLineListQuery,
  invoiceLineListResponse,
  invoiceListQuery,
  invoiceListResponse,
  invoiceResponse,
} from '#libs/contracts';
import type { Clock } from '#libs/kernel';
import { MONEY_CLOCK } from '#libs/payments';
import { CurrentPrincipal, type Principal } from '../auth/principal.ts';
import { Endpoint } from '../http/endpoint.ts';
import { metaOf, toListQuery } from '../http/list-query.ts';
import { presentInvoice, presentInvoiceDetails, presentLine } from './invoice.presenter.ts';

type ById = z.output<typeof byId>;

/** The account's invoices, whatever project their servers are in. */
@Controller('v1/invoices')
export class InvoicesController {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(MONEY_CLOCK) private readonly clock: Clock,
  ) {}

  @Get()
  @Endpoint({ summary: 'List your invoices', access: 'spend', response: invoiceListResponse })
  async list(
    @CurrentPrincipal() { accountId }: Principal,
    @Query({ schema: invoiceListQuery }) parsed: z.output<typeof invoiceListQuery>,
  ) {
    const query = toListQuery(parsed);
    const { manager } = this.dataSource;
    const filter = { accountId, ...(parsed.status && { open: parsed.status === 'open' }) };
    const page = { limit: query.perPage, offset: (query.page - 1) * query.perPage };
    const items = await invoices(manager, { ...filter, ...page });
    const now = this.clock.now();
    return {
      invoices: items.map((one) => presentInvoice(one, now)),
      meta: metaOf(query, { items, total: await countInvoices(manager, filter) }),
    };
  }

  @Get(':id')
  @Endpoint({
    summary: 'An invoice with its tax, what was paid of it, and its paper at the payment provider',
    access: 'spend',
    response: invoiceResponse,
  })
  async get(@CurrentPrincipal() { accountId }: Principal, @Param({ schema: byId }) { id }: ById) {
    const { manager } = this.dataSource;
    const found = await invoice(manager, id, accountId);
    const history = {
      settlements: await invoiceSettlements(manager, id),
      creditNotes: await creditNotes(manager, { invoiceId: id }),
      collections: await collectionsOf(manager, id),
    };
    return { invoice: presentInvoiceDetails(found, history, this.clock.now()) };
  }

  @Get(':id/lines')
  @Endpoint({
    summary: 'The lines of an invoice: which server, what of it, from and until when, at which price',
    access: 'spend',
    response: invoiceLineListResponse,
  })
  async lines(
    @CurrentPrincipal() { accountId }: Principal,
    @Param({ schema: byId }) { id }: ById,
    @Query({ schema: invoiceLineListQuery }) parsed: z.output<typeof invoiceLineListQuery>,
  ) {
    const query = toListQuery(parsed);
    const { manager } = this.dataSource;
    await invoice(manager, id, accountId);
    const page = { afterLine: (query.page - 1) * query.perPage, limit: query.perPage };
    const items = await invoiceLines(manager, id, page);
    const total = await countInvoiceLines(manager, id);
    return { lines: items.map(presentLine), meta: metaOf(query, { items, total }) };
  }
}
