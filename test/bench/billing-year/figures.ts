import type { DataSource } from 'typeorm';
import type { MoneyRecord } from './record.ts';
import type { YearWorld } from './world.ts';

export interface Figures {
  readonly spans: number;
  readonly invoices: number;
  readonly lines: number;
  readonly creditNotes: number;
  readonly sagas: number;
  readonly undone: number;
  readonly events: number;
  readonly chargedMinor: number;
  readonly refundedMinor: number;
  readonly disputedMinor: number;
  readonly feesMinor: number;
  readonly paidOutMinor: number;
  readonly writtenOffMinor: number;
  readonly openMinor: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly kills: number;
}

export async function figuresOf({ dataSource, payments, crew }: YearWorld): Promise<Figures> {
  const { capturedMinor, refundedMinor, disputedMinor, feesMinor, paidOutMinor } = payments.emulator.ledger();
  return {
    ...(await counts(dataSource)),
    chargedMinor: capturedMinor,
    refundedMinor,
    disputedMinor,
    feesMinor,
    paidOutMinor,
    faults: payments.emulator.struckFaults(),
    kills: crew.kills,
  };
}

async function counts(dataSource: DataSource) {
  type Counts = Omit<
    Figures,
    'chargedMinor' | 'refundedMinor' | 'disputedMinor' | 'feesMinor' | 'paidOutMinor' | 'faults' | 'kills'
  >;
  const [row] = await dataSource.query<[Counts]>(
    `SELECT (SELECT count(*)::int FROM usage_spans) AS spans, (SELECT count(*)::int FROM invoices) AS invoices,
            (SELECT count(*)::int FROM invoice_lines) AS lines,
            (SELECT count(*)::int FROM credit_notes) AS "creditNotes", (SELECT count(*)::int FROM sagas) AS sagas,
            (SELECT count(*)::int FROM sagas WHERE state = 'undone') AS undone,
            (SELECT count(*)::int FROM stripe_events) AS events,
            (SELECT coalesce(sum(amount_minor), 0)::bigint FROM invoice_settlements WHERE kind = 'write_off')
              AS "writtenOffMinor",
            (SELECT coalesce(sum(open_minor), 0)::bigint FROM invoice_balances) AS "openMinor"`,
  );
  return row;
}

/** The figures as people read them. */
export function tell(
  figures: Figures,
  { refunds, disputes, topUps, promotions, failedRefunds, failedPayouts }: MoneyRecord,
): string {
  const faults = Object.entries(figures.faults);
  const injected = faults.reduce((sum, [, times]) => sum + times, 0);
  return [
    `${figures.spans} spans on ${figures.lines} lines of ${figures.invoices} invoices, ${figures.creditNotes} credit notes`,
    `charged ${euro(figures.chargedMinor)}, refunded ${euro(figures.refundedMinor)}, taken back by banks ${euro(figures.disputedMinor)}, ` +
      `written off ${euro(figures.writtenOffMinor)}, still open ${euro(figures.openMinor)}`,
    `fees ${euro(figures.feesMinor)}, paid out ${euro(figures.paidOutMinor)}, ${failedRefunds} refunds and ${failedPayouts} payouts came back`,
    `${topUps} top-ups, ${promotions} promotions and grants, ${refunds} refunds, ${disputes} disputes by their owners`,
    `${figures.sagas} sagas (${figures.undone} taken back), ${figures.events} events, ${figures.kills} workers killed`,
    `${injected} faults: ${faults.map(([effect, times]) => `${effect} ${times}`).join(', ')}`,
  ].join('\n');
}

function euro(minor: number): string {
  return `${(minor / 100).toFixed(2)} €`;
}
