import type { DataSource } from 'typeorm';
import type { Ledger } from '#libs/payments/emulator';
import { halfEven } from './expected-usage.ts';
import { SELLER_COUNTRY, TAX_RATES } from './market.ts';
import type { Plan } from './plan.ts';
import type { Customer, MoneyRecord } from './record.ts';

interface Document {
  readonly id: number;
  readonly accountId: number;
  /** The last second of its period. */
  readonly endedAt: Date;
  readonly netMinor: number;
  readonly taxMinor: number;
  readonly linesMinor: number;
}

/** What the books say of a customer, in minor units. */
interface Standing {
  readonly accountId: number;
  readonly customerIds: readonly string[];
  readonly receivable: number;
  readonly credit: number;
  readonly refundsPayable: number;
  readonly disputed: number;
  readonly writtenOff: number;
  readonly expired: number;
}

/** The ledger sums to zero in each unit, in all and in each of its transactions. @returns what differs */
export async function judgeLedger({ manager }: DataSource): Promise<string[]> {
  const rows = await manager.query<{ what: string; off: string }[]>(
    `WITH entries AS (
       SELECT e.*, CASE WHEN e.account LIKE 'revenue%' OR e.account = 'rounding' THEN 1 ELSE 1000000 END AS micro
       FROM ledger_entries e)
     SELECT 'the ledger in ' || currency AS what, sum(amount::numeric * micro)::text AS off FROM entries
     GROUP BY currency HAVING sum(amount::numeric * micro) <> 0
     UNION ALL
     SELECT 'transaction ' || transaction_id, sum(amount::numeric * micro)::text FROM entries
     GROUP BY transaction_id HAVING sum(amount::numeric * micro) <> 0`,
  );
  return rows.map(({ what, off }) => `${what} sums to ${off} micro-units`);
}

/**
 * What each customer has paid at the provider, less what went back, is what they had with its tax, less what was
 * forgiven, given or is still owed, and with what they still have with us. So nobody has paid for what they did not
 * get. What was had comes from the simulation, what was paid from the provider. @returns what differs
 */
export async function judgeCustomers(
  dataSource: DataSource,
  plan: Plan,
  record: MoneyRecord,
  provider: Ledger,
): Promise<string[]> {
  const documents = await readDocuments(dataSource);
  const owners = new Map(plan.customers.map((customer) => [customer.accountId, customer]));
  const differences = documents.flatMap((document) =>
    judgeDocument(document, owners.get(document.accountId)),
  );
  const invoiced = sums(documents, ({ accountId, netMinor, taxMinor }) => [accountId, netMinor + taxMinor]);
  for (const standing of await readStandings(dataSource)) {
    const { accountId } = standing;
    const had = (invoiced.get(accountId) ?? 0) - (record.creditNotesMinor.get(accountId) ?? 0);
    const given = (record.givenMinor.get(accountId) ?? 0) - standing.expired;
    const stillOwed = standing.receivable + standing.disputed;
    const stillHeld = standing.credit + standing.refundsPayable;
    const fair = had - given - standing.writtenOff - stillOwed + stillHeld;
    const paid = paidBy(standing.customerIds, provider);
    if (paid !== fair) {
      differences.push(
        `customer ${accountId} has paid ${paid} and owed ${fair}: ${JSON.stringify({ had, given, ...standing })}`,
      );
    }
  }
  return differences;
}

/** What came in from a customer and stayed, through the provider and past it. */
function paidBy(customerIds: readonly string[], { intents, invoices }: Ledger): number {
  const own = intents.filter(({ customerId }) => customerIds.includes(customerId));
  const byCard = own.reduce(
    (sum, { capturedMinor, refundedMinor, disputedMinor }) =>
      sum + capturedMinor - refundedMinor - disputedMinor,
    0,
  );
  const charged = sums(own, ({ invoiceId = '', capturedMinor }) => [invoiceId, capturedMinor]);
  const elsewhere = invoices
    .filter(({ customerId, status }) => customerIds.includes(customerId) && status === 'paid')
    .reduce((sum, { invoiceId, dueMinor }) => sum + dueMinor - (charged.get(invoiceId) ?? 0), 0);
  return byCard + elsewhere;
}

/** An invoice is its lines with the tax of the customer's country at the end of its period. */
function judgeDocument(document: Document, customer: Customer | undefined): string[] {
  const { id, accountId, netMinor, taxMinor, linesMinor, endedAt } = document;
  if (!customer) return [`invoice ${id} is for ${accountId}, who is no customer`];
  const tax = halfEven(BigInt(netMinor) * BigInt(basisPoints(customer, endedAt.getTime())), 10_000n);
  const found: string[] = [];
  if (netMinor !== linesMinor) found.push(`is ${netMinor} and its lines ${linesMinor}`);
  if (BigInt(taxMinor) !== tax) found.push(`has a tax of ${taxMinor} instead of ${tax}`);
  return found.map((what) => `customer ${accountId}: invoice ${id} ${what}`);
}

function basisPoints({ country, vatId }: Customer, at: number): number {
  const residence = country ?? SELLER_COUNTRY;
  if (vatId && residence !== SELLER_COUNTRY) return 0;
  const rates = TAX_RATES.filter((rate) => rate.country === residence && rate.from <= at);
  return rates.toSorted((a, b) => b.from - a.from)[0]?.basisPoints ?? 0;
}

function readDocuments({ manager }: DataSource): Promise<Document[]> {
  return manager.query(
    `SELECT i.id, i.account_id AS "accountId", i.period_until - interval '1 second' AS "endedAt",
            i.net_minor AS "netMinor",
            i.tax_minor AS "taxMinor", sum(l.amount_minor)::bigint AS "linesMinor"
     FROM invoices i JOIN invoice_lines l ON l.invoice_id = i.id GROUP BY i.id`,
  );
}

function readStandings({ manager }: DataSource): Promise<Standing[]> {
  return manager.query(
    `SELECT b.account_id AS "accountId",
            ARRAY(SELECT provider_id FROM stripe_customers c WHERE c.account_id = b.account_id) AS "customerIds",
            coalesce(sum(e.amount) FILTER (WHERE e.account = 'receivable'), 0)::bigint AS receivable,
            coalesce(-sum(e.amount) FILTER (WHERE e.account = 'customer_credit'), 0)::bigint AS credit,
            coalesce(-sum(e.amount) FILTER (WHERE e.account = 'refunds_payable'), 0)::bigint AS "refundsPayable",
            coalesce(sum(e.amount) FILTER (WHERE e.account = 'disputed'), 0)::bigint AS disputed,
            (SELECT coalesce(sum(s.amount_minor), 0)::bigint FROM invoice_settlements s
             JOIN invoices i ON i.id = s.invoice_id
             WHERE i.account_id = b.account_id AND s.kind = 'write_off') AS "writtenOff",
            (SELECT coalesce(sum(u.amount_minor), 0)::bigint FROM credit_uses u JOIN credit_lots l ON l.id = u.lot_id
             WHERE l.account_id = b.account_id AND u.cause_kind = 'credit_expired') AS expired
     FROM billing_accounts b LEFT JOIN ledger_entries e ON e.customer_id = b.account_id GROUP BY b.account_id`,
  );
}

function sums<T, K>(list: readonly T[], of: (one: T) => readonly [K, number]): Map<K, number> {
  const result = new Map<K, number>();
  for (const one of list) {
    const [key, amount] = of(one);
    result.set(key, (result.get(key) ?? 0) + amount);
  }
  return result;
}
