import type { EntityManager } from 'typeorm';
import type { LedgerAccount } from './chart-of-accounts.ts';
import { credit, type LedgerEntry } from './ledger.ts';
import type { Component } from './price-book.ts';
import type { SpanCharge } from './span-stream.ts';

const MICRO_PER_MINOR = 1_000_000n;

/** What the lines of an invoice add up to. */
export class LineTotals {
  lines = 0;
  netMinor = 0n;
  private readonly micro = new Map<Component, bigint>();

  add({ span, amountMicro, amountMinor }: SpanCharge): void {
    const component = span.component as Component;
    this.lines += 1;
    this.netMinor += amountMinor;
    this.micro.set(component, (this.micro.get(component) ?? 0n) + amountMicro);
  }

  /** The exact worth of each component as revenue, and what the lines have rounded. */
  entries(): LedgerEntry[] {
    const revenue = [...this.micro].map(([component, amount]) =>
      credit(`revenue_${component}` satisfies LedgerAccount, amount),
    );
    const exact = [...this.micro.values()].reduce((sum, amount) => sum + amount, 0n);
    return [...revenue, credit('rounding', this.netMinor * MICRO_PER_MINOR - exact)];
  }
}

/** Writes a chunk of lines; the invoice itself may come later in the same transaction. */
export async function insertLines(
  manager: EntityManager,
  invoiceId: number,
  afterLine: number,
  charges: readonly SpanCharge[],
): Promise<void> {
  await manager.query(
    `INSERT INTO invoice_lines (invoice_id, line, span_id, server_id, server_name, component, title, slot, used_from,
       used_until, seconds, billed_seconds, quantity, hourly_micro, amount_micro, amount_minor)
     SELECT $1, $2 + n, span_id, server_id, server_name, component, title, slot, to_timestamp(used_from),
            to_timestamp(used_until), seconds, billed_seconds, quantity, hourly_micro, amount_micro, amount_minor
     FROM unnest($3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bigint[],
                 $10::bigint[], $11::bigint[], $12::bigint[], $13::int[], $14::bigint[], $15::bigint[],
                 $16::bigint[])
       WITH ORDINALITY AS l (span_id, server_id, server_name, component, title, slot, used_from, used_until, seconds,
                             billed_seconds, quantity, hourly_micro, amount_micro, amount_minor, n)`,
    [
      invoiceId,
      afterLine,
      charges.map(({ span }) => span.id),
      charges.map(({ span }) => span.serverId),
      charges.map(({ span }) => span.serverName),
      charges.map(({ span }) => span.component),
      charges.map(({ span }) => span.title),
      charges.map(({ span }) => span.slot),
      charges.map(({ from }) => from),
      charges.map(({ until }) => until),
      charges.map(({ seconds }) => seconds),
      charges.map(({ billedSeconds }) => billedSeconds),
      charges.map(({ span }) => span.quantity),
      charges.map(({ hourlyMicro }) => hourlyMicro),
      charges.map(({ amountMicro }) => String(amountMicro)),
      charges.map(({ amountMinor }) => String(amountMinor)),
    ],
  );
}

/**
 * Evens out the grains that are left when nothing but roundings is owed and they lean below zero: an invoice never
 * pays out.
 */
export async function insertRoundingLine(
  manager: EntityManager,
  invoiceId: number,
  line: number,
  at: Date,
  amountMinor: bigint,
): Promise<void> {
  await manager.query(
    `INSERT INTO invoice_lines (invoice_id, line, server_name, component, title, slot, used_from, used_until, seconds,
       billed_seconds, quantity, hourly_micro, amount_micro, amount_minor)
     VALUES ($1, $2, '', 'rounding', 'Rounding', '', $3, $3, 0, 0, 1, 0, 0, $4)`,
    [invoiceId, line, at, String(amountMinor)],
  );
}
