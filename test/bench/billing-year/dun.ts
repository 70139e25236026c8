import type { EntityManager } from 'typeorm';
import { invoices, takeDueRetries, takeDueStep, writeOff } from '#libs/billing';
import { runInTransaction } from '#libs/database';
import { retryOpenInvoices, startCollecting } from '#libs/workflows';
import type { YearWorld } from './world.ts';

/** The ladder of those who do not pay, without its servers: at its end nobody tries again, and the debt is given up. */
export async function dun({ dataSource, money }: YearWorld, now: Date): Promise<void> {
  for (const accountId of await takeDueRetries(dataSource.manager, now)) {
    await runInTransaction(dataSource, (manager) => retryOpenInvoices(manager, money.store, accountId));
  }
  for (let isDone = false; !isDone; ) {
    isDone = await runInTransaction(dataSource, async (manager) => {
      const due = await takeDueStep(manager, now);
      if (due?.step === 'purge') await purge(manager, due.accountId);
      return due === undefined;
    });
  }

  /** The operator gives up what is open, and what asks for it at the provider is taken back. */
  async function purge(manager: EntityManager, accountId: number): Promise<void> {
    for (const { id, openMinor } of await invoices(manager, { accountId, limit: 100 })) {
      if (openMinor === 0) continue;
      await writeOff(manager, { invoiceId: id, at: now });
      await startCollecting(manager, money.store, id);
    }
  }
}
