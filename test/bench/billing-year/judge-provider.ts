import type { DataSource } from 'typeorm';
import type { Ledger } from '#libs/payments/emulator';

/** Each payment and all disputes are in the ledger as the provider has them, to the cent. @returns what differs */
export async function judgeProvider({ manager }: DataSource, provider: Ledger): Promise<string[]> {
  const booked = await manager.query<{ id: string; isDispute: boolean; minor: number }[]>(
    `SELECT split_part(t.cause_id, '/', 1) AS id, t.cause_kind LIKE 'dispute%' AS "isDispute",
            sum(e.amount)::bigint AS minor
     FROM ledger_transactions t JOIN ledger_entries e ON e.transaction_id = t.id
     WHERE e.account = 'stripe_clearing' AND t.cause_kind <> 'balance_movement' GROUP BY 1, 2`,
  );
  const ours = new Map(booked.filter(({ isDispute }) => !isDispute).map(({ id, minor }) => [id, minor]));
  const differences: string[] = [];
  for (const { holdId, customerId, capturedMinor, refundedMinor } of provider.intents) {
    const there = capturedMinor - refundedMinor;
    const here = ours.get(holdId) ?? 0;
    ours.delete(holdId);
    if (here !== there) {
      differences.push(
        `payment ${holdId} of ${customerId} is ${there} at the provider and ${here} in the ledger`,
      );
    }
  }
  for (const [id, minor] of ours) {
    if (minor !== 0) differences.push(`payment ${id} is ${minor} in the ledger and unknown to the provider`);
  }
  const disputed = booked.filter(({ isDispute }) => isDispute).reduce((sum, { minor }) => sum - minor, 0);
  if (disputed !== provider.disputedMinor) {
    differences.push(`disputes are ${provider.disputedMinor} at the provider and ${disputed} in the ledger`);
  }
  return differences;
}
