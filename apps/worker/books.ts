import { Inject, Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { DataSource } from 'typeorm';
import { type BooksDifference, checkBooks, closeDue } from '#libs/billing';
import { FindingsService, type NewFinding } from '#libs/placement';
import {
  type CollectingDeps,
  collectDue,
  collectIssued,
  compareWithProvider,
  rechargeDue,
  sweepBalance,
  uncollected,
} from '#libs/workflows';
import { COLLECTING } from './collecting.module.ts';
import { mailSpendingAlerts } from './spending.ts';

/** Closes what is due in the books, checks them, and tells the operator what is not as it should be. */
@Injectable()
export class Books {
  constructor(
    private readonly dataSource: DataSource,
    private readonly findings: FindingsService,
    @Inject(COLLECTING) private readonly collecting: CollectingDeps,
    private readonly log: PinoLogger,
  ) {}

  /** Invoices what is due and has it collected. An account that could not be invoiced is a finding until it could. */
  async closeDue(): Promise<void> {
    const onIssued = collectIssued(this.collecting.sagas);
    const { invoices, lines, failures } = await closeDue(
      this.dataSource,
      this.collecting.clock.now(),
      onIssued,
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

  /** Asks for open invoices that nobody asks for. What has kept them from it is a finding until it has gone. */
  async collectDue(): Promise<void> {
    const invoices = await collectDue(this.dataSource, this.collecting.sagas, this.collecting.clock.now());
    if (invoices > 0) this.log.warn({ invoices }, 'invoices that nobody had asked for are collected now');
    const failed = await uncollected(this.dataSource);
    await this.tell(
      'invoice_not_collected',
      failed.map(({ invoiceId, accountId }) => ({ subject: `invoice ${invoiceId}`, details: { accountId } })),
    );
  }

  /** Recharges credit that has fallen below its mark. */
  async rechargeDue(): Promise<void> {
    await rechargeDue(this.dataSource, this.collecting.sagas, this.collecting.clock.now());
  }

  /** Books fees, payouts and whatever else has moved our balance at the provider. */
  async sweepBalance(): Promise<void> {
    const movements = await sweepBalance(this.collecting);
    if (movements > 0) this.log.info({ movements }, 'booked what has moved the balance at the provider');
  }

  /** Warns customers who have reached a mark of their spending limit. */
  async alertSpending(): Promise<void> {
    const { failures } = await mailSpendingAlerts(this.dataSource, this.collecting.clock.now());
    for (const { accountId, error } of failures) {
      this.log.error({ err: error, accountId }, 'spending could not be looked at and will be again');
    }
  }

  /**
   * The daily check: the ledger by itself, then beside what the provider has. Returns how many differences there are;
   * each is a finding until it is gone. @throws PaymentError `provider_unavailable`, once the ledger is checked
   */
  async check(): Promise<number> {
    const own = await this.dataSource.transaction('REPEATABLE READ', checkBooks);
    await this.tell('books_differ', own.map(findingOf));
    const besides = await compareWithProvider(this.collecting);
    await this.tell('provider_differs', besides.map(findingOf));
    return own.length + besides.length;
  }

  private async tell(
    kind: 'account_not_invoiced' | 'invoice_not_collected' | 'books_differ' | 'provider_differs',
    found: readonly Pick<NewFinding, 'subject' | 'details'>[],
  ): Promise<void> {
    const all = found.map((one): NewFinding => ({ ...one, kind, hostId: null }));
    for (const finding of all) await this.findings.report(finding);
    await this.findings.resolveOthers(null, [kind], all);
  }
}

function findingOf({
  rule,
  subject,
  differsBy,
  details,
}: BooksDifference): Pick<NewFinding, 'subject' | 'details'> {
  return { subject: `${rule}: ${subject}`, details: { differsBy, ...details } };
}
