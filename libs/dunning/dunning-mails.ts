import type { EntityManager } from 'typeorm';
import type { Suspension } from '#libs/accounts';
import { type Arrears, type DunningStep, dunningSettings, owedInArrears, stepDueOn } from '#libs/billing';
import { formatMinor } from '#libs/kernel';
import { queueMailToHolder } from '#libs/mail';

/** Tells an account what a step of the ladder means for it, once for each step. */
export async function mailStep(
  manager: EntityManager,
  arrears: Arrears & { readonly step: DunningStep },
): Promise<void> {
  const { amountMinor, currency } = await owedInArrears(manager, arrears.id);
  const owed = `${currency.toUpperCase()} ${formatMinor(amountMinor)}`;
  const { step, accountId } = arrears;
  const suspendedOn = await dayOf(manager, arrears, 'suspension');
  const mail = { accountId, cause: `arrears ${arrears.id} ${step}` };
  switch (step) {
    case 'unpaid':
      return queueMailToHolder(manager, {
        ...mail,
        template: 'payment-failed',
        data: { owed, isHard: arrears.isHard, suspendedOn },
      });
    case 'first_warning':
    case 'last_warning':
      return queueMailToHolder(manager, {
        ...mail,
        template: 'payment-warning',
        data: { owed, isLast: step === 'last_warning', suspendedOn },
      });
    case 'suspension': {
      const hiddenOn = await dayOf(manager, arrears, 'soft_deletion');
      const data = { reason: 'billing' as const, owed, note: '', hiddenOn };
      return queueMailToHolder(manager, { ...mail, template: 'account-suspended', data });
    }
    case 'soft_deletion': {
      const deletedOn = await dayOf(manager, arrears, 'purge');
      return queueMailToHolder(manager, {
        ...mail,
        template: 'servers-to-be-deleted',
        data: { owed, deletedOn },
      });
    }
    case 'purge':
      return queueMailToHolder(manager, { ...mail, template: 'servers-deleted', data: { owed } });
  }
}

export async function mailSuspended(
  manager: EntityManager,
  accountId: number,
  { id, reason, note }: Suspension,
): Promise<void> {
  const data = { reason, note, owed: null, hiddenOn: null };
  await queueMailToHolder(manager, {
    accountId,
    cause: `suspension ${id}`,
    template: 'account-suspended',
    data,
  });
}

export async function mailRestored(
  manager: EntityManager,
  accountId: number,
  { id }: Suspension,
  isStillSuspended: boolean,
): Promise<void> {
  const mail = { accountId, cause: `suspension ${id} lifted`, data: { isStillSuspended } };
  await queueMailToHolder(manager, { ...mail, template: 'account-restored' });
}

/** `2027-01-31`: the next step's day as it is planned, a later one's as the ladder has it. */
async function dayOf(manager: EntityManager, arrears: Arrears, step: DunningStep): Promise<string> {
  const planned = stepDueOn(await dunningSettings(manager), arrears.since, step);
  const day = arrears.nextAt && arrears.nextAt > planned ? arrears.nextAt : planned;
  return day.toISOString().slice(0, 10);
}
