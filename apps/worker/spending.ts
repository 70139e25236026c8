import type { DataSource, EntityManager } from 'typeorm';
import { alertSpending, type SpendingAlert, type SpendingReport } from '#libs/billing';
import { formatMinor } from '#libs/kernel';
import { queueMail } from '#libs/mail';

/** Mails every customer who has reached a mark of their spending limit; each mark of a month once. */
export function mailSpendingAlerts(dataSource: DataSource, now: Date): Promise<SpendingReport> {
  return alertSpending(dataSource, now, mailAlert);
}

async function mailAlert(manager: EntityManager, alert: SpendingAlert): Promise<void> {
  const { accountId, percent, spentMinor, limit } = alert;
  const [account] = await manager.query<{ email: string; currency: string }[]>(
    `SELECT a.email, upper(b.currency) AS currency
     FROM accounts a JOIN billing_accounts b ON b.account_id = a.id WHERE a.id = $1`,
    [accountId],
  );
  if (!account) return;
  const month = alert.month.toISOString().slice(0, 7);
  const amount = (minor: number) => `${account.currency} ${formatMinor(minor)}`;
  await queueMail(manager, {
    cause: `spending of ${month} by account ${accountId}, ${percent} %`,
    accountId,
    to: account.email,
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
