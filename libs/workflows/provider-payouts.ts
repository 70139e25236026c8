import type { EntityManager } from 'typeorm';
import type { Payout } from '#libs/payments';
import type { MirrorDeps } from './collecting-deps.ts';

/**
 * The operator hears of a payout that their bank has sent back, until a later one has come through. Its money is booked by
 * the sweep over the balance.
 */
export async function tellOfPayout(
  manager: EntityManager,
  { findings }: Pick<MirrorDeps, 'findings'>,
  { status, currency, payoutId, amountMinor, failure }: Payout,
): Promise<void> {
  const subject = `payouts in ${currency}`;
  if (status === 'paid') return findings.resolve(manager, 'payout_failed', [subject]);
  if (status !== 'failed') return;
  const details = { payoutId, amountMinor, currency, failure: failure ?? null };
  await findings.report({ kind: 'payout_failed', hostId: null, subject, details }, manager);
}
