import type { DataSource } from 'typeorm';
import type { Ledger } from '#libs/payments/emulator';

/** The clearing account is the balance at the provider, and fees and payouts are booked, to the cent. @returns what differs */
export async function judgeBalance({ manager }: DataSource, provider: Ledger): Promise<string[]> {
  const rows = await manager.query<{ account: string; minor: number }[]>(
    `SELECT account, sum(amount)::bigint AS minor FROM ledger_entries
     WHERE account IN ('stripe_clearing', 'payment_fees', 'paid_out') AND currency = 'eur' GROUP BY account`,
  );
  const there: Readonly<Record<string, number>> = {
    stripe_clearing: provider.balanceMinor.eur ?? 0,
    payment_fees: provider.feesMinor,
    paid_out: provider.paidOutMinor,
  };
  return Object.entries(there).flatMap(([account, minor]) => {
    const here = rows.find((row) => row.account === account)?.minor ?? 0;
    return here === minor ? [] : [`${account} is ${minor} at the provider and ${here} in the ledger`];
  });
}
