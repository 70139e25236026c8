import type { DataSource, EntityManager } from 'typeorm';
import { alertSpending, type SpendingAlert, type SpendingReport } from '#libs/billing';
import { formatMinor } from '#libs/kernel';
import { queueMailToHolder } from '#libs/mail';

/** Mails every customer who has reached a mark of their spending limit; each mark of a month once. */
export function mailSpendingAlerts(dataSource: DataSource, now: Date): Promise<SpendingReport> {
  return alertSpending(dataSource, now, mailAlert);
}

async function mailAlert(manager: EntityManager, alert: SpendingAlert): Promise<void> {
  const { accountId, percent, spentMinor, limit } = alert;
  const [account] = await manager.query<{ currency: string }[]>(
    'SELECT upper(currency) AS currency FROM billing_accounts WHERE account_id = $1',
    [accountId],
  );
  if (!account) return;
  const month = alert.month.toISOString().slice(0, 7);
  const amount = (minor: number) => `${account.currency} ${formatMinor(minor)}`;
  await queueMailToHolder(manager, {
    cause: `spending of ${month} by account ${accountId}, ${percent} %`,
    accountId,
    template: 'spending-alert',
    data: {
      percent,
      spent: amount(spentMinor),
      limit: amount(limit.amountMinor),
      month,
      isHard: limit.isHard,
    },
  });
}
