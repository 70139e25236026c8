import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { DataSource } from 'typeorm';
import { checkBooks, closeDue } from '#libs/billing';
import { FindingsService, type NewFinding } from '#libs/placement';
import { SagaStore } from '#libs/saga';
import { collectDue, startCollecting } from '#libs/workflows';
import { mailSpendingAlerts } from './spending.ts';

/** Closes what is due in the books, checks them, and tells the operator what is not as it should be. */
@Injectable()
export class Books {
  constructor(
    private readonly dataSource: DataSource,
    private readonly findings: FindingsService,
    private readonly sagas: SagaStore,
    private readonly log: PinoLogger,
  ) {}

  /** Invoices what is due, and has each invoice collected. An account that could not be invoiced is a finding until it could. */
  async closeDue(): Promise<void> {
    const { invoices, lines, failures } = await closeDue(this.dataSource, new Date(), (manager, issued) =>
      startCollecting(manager, this.sagas, issued.invoiceId),
    );
    if (invoices > 0) this.log.info({ invoices, lines }, 'invoiced what was due');
    for (const { accountId, error } of failures) {
      this.log.error({ err: error, accountId }, 'an account could not be invoiced and will be tried again');
    }
    await this.tell(
      'account_not_invoiced',
      failures.map(({ accountId, error }) => ({
        subject: `account ${accountId}`,
        details: { error: String(error) },
      })),
    );
  }

  /** Asks for open invoices that nobody asks for, whatever has kept them from it. */
  async collectDue(): Promise<void> {
    const invoices = await collectDue(this.dataSource, this.sagas, new Date());
    if (invoices > 0) this.log.warn({ invoices }, 'invoices that nobody had asked for are collected now');
  }

  /** Warns customers who have reached a mark of their spending limit. */
  async alertSpending(): Promise<void> {
    const { failures } = await mailSpendingAlerts(this.dataSource, new Date());
    for (const { accountId, error } of failures) {
      this.log.error({ err: error, accountId }, 'spending could not be looked at and will be again');
    }
  }

  /** The daily check. Returns how many differences there are; each is a finding until it is gone. */
  async check(): Promise<number> {
    const differences = await this.dataSource.transaction('REPEATABLE READ', checkBooks);
    await this.tell(
      'books_differ',
      differences.map(({ rule, subject, differsBy }) => ({
        subject: `${rule}: ${subject}`,
        details: { differsBy },
      })),
    );
    return differences.length;
  }

  private async tell(
    kind: 'account_not_invoiced' | 'books_differ',
    found: readonly Pick<NewFinding, 'subject' | 'details'>[],
  ): Promise<void> {
    const all = found.map((one): NewFinding => ({ ...one, kind, hostId: null }));
    for (const finding of all) await this.findings.report(finding);
    await this.findings.resolveOthers(null, [kind], all);
  }
}
