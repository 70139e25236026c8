import { Body, Controller, Get, Inject, Param, Post, Query } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { z } from 'zod';
import {
  collectionsOf,
  countInvoiceLines,
  countInvoices,
  creditNoteDetail,
  creditNotes,
  type InvoiceFilter,
  invoice,
  invoiceLines,
  invoiceSettlements,
  invoices,
  writeOff,
} from '#libs/billing';
import * as contracts from '#libs/contracts';
import { runInTransaction } from '#libs/database';
import type { Clock } from '#libs/kernel';
import { pageOfArray } from '#libs/listing';
import { MONEY_CLOCK } from '#libs/payments';
import { SagaStore } from '#libs/saga';
import { refundInvoice, startCollecting } from '#libs/workflows';
import { Audited, type AuditTrail } from '../audit/audit-trail.ts';
import {
  presentCreditNote,
  presentInvoice,
  presentInvoiceDetails,
  presentLine,
} from '../billing/invoice.presenter.ts';
import { Endpoint } from '../http/endpoint.ts';
import { metaOf, toListQuery } from '../http/list-query.ts';
import { ResourceId } from '../idempotency/idempotency.interceptor.ts';

type ById = z.output<typeof contracts.byId>;
type Age = z.output<typeof contracts.receivableAge>;

const DAY_MILLISECONDS = 86_400_000;

/** Days since which invoices of an age have been due. */
const AGES: Readonly<Record<Age, { readonly least?: number; readonly most?: number }>> = {
  not_due: { most: 0 },
  up_to_30_days: { least: 0, most: 30 },
  up_to_60_days: { least: 30, most: 60 },
  up_to_90_days: { least: 60, most: 90 },
  older: { least: 90 },
};

/** Every customer's invoices, and what the operator does about them. */
@Controller('v1/books')
export class BookedInvoicesController {
  constructor(
    private readonly dataSource: DataSource,
    private readonly sagas: SagaStore,
    @Inject(MONEY_CLOCK) private readonly clock: Clock,
  ) {}

  @Get('invoices')
  @Endpoint({
    summary: "List all customers' invoices",
    access: 'operator',
    response: contracts.bookedInvoiceListResponse,
  })
  async list(
    @Query({ schema: contracts.bookedInvoiceListQuery })
    parsed: z.output<typeof contracts.bookedInvoiceListQuery>,
  ) {
    const query = toListQuery({ page: parsed.page, per_page: parsed.per_page });
    const now = this.clock.now();
    const filter = filterOf(parsed, now);
    const { manager } = this.dataSource;
    const page = { limit: query.perPage, offset: (query.page - 1) * query.perPage };
    const items = await invoices(manager, { ...filter, ...page });
    const total = await countInvoices(manager, filter);
    return { invoices: items.map((one) => presentInvoice(one, now)), meta: metaOf(query, { items, total }) };
  }

  @Get('invoices/:id')
  @Endpoint({ summary: "A customer's invoice", access: 'operator', response: contracts.invoiceResponse })
  async get(@Param({ schema: contracts.byId }) { id }: ById) {
    return { invoice: await this.details(id) };
  }

  @Get('invoices/:id/lines')
  @Endpoint({
    summary: "The lines of a customer's invoice",
    access: 'operator',
    response: contracts.invoiceLineListResponse,
  })
  async lines(
    @Param({ schema: contracts.byId }) { id }: ById,
    @Query({ schema: contracts.invoiceLineListQuery })
    parsed: z.output<typeof contracts.invoiceLineListQuery>,
  ) {
    const query = toListQuery(parsed);
    const { manager } = this.dataSource;
    await invoice(manager, id);
    const afterLine = (query.page - 1) * query.perPage;
    const items = await invoiceLines(manager, id, { afterLine, limit: query.perPage });
    const total = await countInvoiceLines(manager, id);
    return { lines: items.map(presentLine), meta: metaOf(query, { items, total }) };
  }

  @Post('invoices/:id/credit_notes')
  @Endpoint({
    summary: 'Give back an invoice or a part of it',
    audit: 'credit_note.create',
    access: 'operator',
    response: contracts.creditNoteResponse,
    status: 201,
    idempotent: true,
  })
  async giveBack(
    @Param({ schema: contracts.byId }) { id: invoiceId }: ById,
    @ResourceId() requestId: number,
    @Audited() audit: AuditTrail,
    @Body({ schema: contracts.createCreditNote }) body: z.output<typeof contracts.createCreditNote>,
  ) {
    const request = {
      invoiceId,
      requestId: String(requestId),
      amountMinor: body.amount_minor,
      refundTo: body.refund_to,
      reason: body.reason,
      at: this.clock.now(),
    };
    const note = await runInTransaction(this.dataSource, async (manager) => {
      const issued = await refundInvoice(manager, this.sagas, request);
      await audit.write(manager, issued.id, creditNoteDetail(issued));
      return issued;
    });
    return { credit_note: presentCreditNote(note) };
  }

  @Post('invoices/:id/actions/write_off')
  @Endpoint({
    summary: 'Give up what is open of an invoice',
    audit: 'invoice.write_off',
    access: 'operator',
    response: contracts.invoiceResponse,
  })
  async writeOff(@Param({ schema: contracts.byId }) { id }: ById, @Audited() audit: AuditTrail) {
    const given = { invoiceId: id, at: this.clock.now() };
    await runInTransaction(this.dataSource, async (manager) => {
      const amountMinor = await writeOff(manager, given);
      await audit.write(manager, id, { amount_minor: amountMinor });
      // What asks for it at the provider is taken back.
      if (amountMinor > 0) await startCollecting(manager, this.sagas, id);
    });
    return { invoice: await this.details(id) };
  }

  @Get('credit_notes')
  @Endpoint({
    summary: 'What was given back, the newest first',
    access: 'operator',
    response: contracts.creditNoteListResponse,
  })
  async creditNotes(
    @Query({ schema: contracts.creditNoteListQuery }) parsed: z.output<typeof contracts.creditNoteListQuery>,
  ) {
    const query = toListQuery(parsed);
    const page = pageOfArray(await creditNotes(this.dataSource.manager, {}), query, {});
    return { credit_notes: page.items.map(presentCreditNote), meta: metaOf(query, page) };
  }

  private async details(id: number) {
    const { manager } = this.dataSource;
    const found = await invoice(manager, id);
    const history = {
      settlements: await invoiceSettlements(manager, id),
      creditNotes: await creditNotes(manager, { invoiceId: id }),
      collections: await collectionsOf(manager, id),
    };
    return presentInvoiceDetails(found, history, this.clock.now());
  }
}

function filterOf(
  { customer_id, status, age }: z.output<typeof contracts.bookedInvoiceListQuery>,
  now: Date,
): InvoiceFilter {
  const { least, most } = age === undefined ? {} : AGES[age];
  const daysAgo = (days: number) => new Date(now.getTime() - days * DAY_MILLISECONDS);
  return {
    ...(customer_id !== undefined && { accountId: customer_id }),
    ...((status !== undefined || age !== undefined) && { open: status !== 'paid' }),
    ...(most !== undefined && { dueFrom: daysAgo(most) }),
    ...(least !== undefined && { dueBefore: daysAgo(least) }),
    ...(status === 'overdue' && least === undefined && { dueBefore: now }),
  };
}
