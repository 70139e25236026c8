import type { EntityManager } from 'typeorm';
import { Account } from '#libs/accounts';
import { type Collection, isTakenBack } from '#libs/billing';
import { PaymentError, type ProviderInvoice } from '#libs/payments';
import type { CollectingDeps } from './collecting-deps.ts';
import { collectionReference, noteUnpaidParts } from './provider-books.ts';

/** Whom the provider knows as its customer. */
export async function accountOf(
  manager: EntityManager,
  accountId: number,
): Promise<{ accountId: number; email: string; name: string }> {
  const { email, name } = await manager.getRepository(Account).findOneByOrFail({ id: accountId });
  return { accountId, email, name };
}

/**
 * Sees to it that a collection can take no money any more: a draft is thrown away, what is open is voided. It is marked as
 * withdrawn before, or the event of its voiding would be taken for the operator's giving up. One that is paid stays so. @returns the provider's id of it, if it ever came to be there
 */
export async function takeBack(deps: CollectingDeps, taken: Collection): Promise<string | undefined> {
  const { invoices } = deps.provider;
  await deps.dataSource.query(
    'UPDATE collections SET withdrawn_at = coalesce(withdrawn_at, $2) WHERE id = $1',
    [taken.id, deps.clock.now()],
  );
  const seen = await find(deps, taken);
  const providerId = seen?.invoiceId ?? taken.providerId ?? undefined;
  if (!seen) return providerId;
  const asked = { invoiceId: seen.invoiceId };
  try {
    if (seen.status === 'draft') {
      await deps.calls.make('discard_invoice', taken.id, asked, (call) => invoices.discard(call));
    } else if (seen.status === 'open' || seen.status === 'uncollectible') {
      await deps.calls.make('void_invoice', taken.id, asked, (call) => invoices.void(call));
    }
  } catch (error) {
    const now = error instanceof PaymentError && (await find(deps, taken));
    const isOver = now === undefined || (now && (now.status === 'paid' || now.status === 'void'));
    if (!isOver) throw error;
  }
  return providerId;
}

async function find(
  { provider, cards }: CollectingDeps,
  { id, accountId, providerId }: Collection,
): Promise<ProviderInvoice | undefined> {
  if (providerId !== null) {
    return provider.invoices.fetch(providerId).catch((error: unknown) => {
      if (error instanceof PaymentError && error.code === 'invoice_not_found') return undefined;
      throw error;
    });
  }
  const customerId = await cards.customerOf(accountId);
  if (customerId === undefined) return undefined;
  return provider.invoices.find({ customerId, reference: collectionReference(id) });
}

/** Notes which card was tried, and that there was none to try, or none that may be. */
export async function noteAttempt(
  manager: EntityManager,
  { clock }: CollectingDeps,
  asked: Collection,
  declined: string | null,
): Promise<void> {
  await manager.query(
    `UPDATE collections c SET tried_card = (SELECT provider_id FROM cards WHERE account_id = c.account_id
       AND is_default AND detached_at IS NULL LIMIT 1),
       decline_code = coalesce($2, decline_code), is_decline_final = ($2 IS NOT NULL OR is_decline_final)
     WHERE id = $1 AND status = 'open'`,
    [asked.id, declined],
  );
  if (asked.status !== 'open') return;
  const isLeftToOwner = declined !== null || (await isTakenBack(manager, asked));
  if (isLeftToOwner) await noteUnpaidParts(manager, asked, clock.now(), true);
}
