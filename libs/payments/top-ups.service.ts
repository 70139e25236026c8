import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { type Currency, newId } from '#libs/kernel';
import { type CardSetupRequest, CardsService } from './cards.service.ts';
import { PaymentCalls } from './payment-calls.service.ts';
import { PaymentError } from './payments.errors.ts';
import { PAYMENT_PROVIDER } from './payments.tokens.ts';
import type { PaymentProvider } from './port.ts';
import type { TopUpStatus } from './port-money.ts';

export interface TopUpRequest extends Pick<CardSetupRequest, 'accountId' | 'email' | 'name'> {
  /** 50 or more: providers refuse less. */
  readonly amountMinor: number;
  readonly currency: Currency;
  /** Where the browser returns; `{TOP_UP_ID}` in it becomes the provider's id, to give to {@link TopUpsService.find}. */
  readonly successUrl: string;
  readonly cancelUrl: string;
  /** Whether the card is kept for invoices and recharges. */
  readonly savesCard: boolean;
}

/** Credit that is paid in: on a page of the provider, or recharged from the card on file. */
export interface TopUpRecord {
  readonly id: number;
  readonly accountId: number;
  readonly kind: 'page' | 'recharge';
  readonly currency: Currency;
  readonly amountMinor: number;
  readonly providerId: string | null;
  readonly paymentId: string | null;
  readonly status: TopUpStatus;
  readonly declineCode: string | null;
  readonly createdAt: Date;
  readonly finishedAt: Date | null;
}

const TOP_UP = `
  SELECT id, account_id AS "accountId", kind, currency, amount_minor AS "amountMinor", provider_id AS "providerId",
         payment_id AS "paymentId", status, decline_code AS "declineCode", created_at AS "createdAt",
         finished_at AS "finishedAt"
  FROM top_ups`;

/** By this the provider's object is found again. */
export function topUpReference(id: number): string {
  return `top-up ${id}`;
}

/** Paying in, and the provider's portal. What is paid becomes credit when the provider tells of it. */
@Injectable()
export class TopUpsService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly calls: PaymentCalls,
    private readonly cards: CardsService,
    @Inject(PAYMENT_PROVIDER) private readonly provider: PaymentProvider,
  ) {}

  /**
   * Opens the page on which a customer pays in. Nothing is credited until it is paid, also where that takes days.
   * @throws PaymentError `amount_invalid`, `provider_unavailable`
   */
  async open(request: TopUpRequest): Promise<{ readonly id: number; readonly url: string }> {
    const { accountId, amountMinor, currency, successUrl, cancelUrl, savesCard } = request;
    if (!Number.isSafeInteger(amountMinor) || amountMinor < 50) {
      throw new PaymentError('amount_invalid', 'Pay in 50 minor units or more, in whole ones.');
    }
    const customerId = await this.cards.ensureCustomer(request);
    const id = newId();
    await this.dataSource.query(
      `INSERT INTO top_ups (id, account_id, kind, currency, amount_minor) VALUES ($1, $2, 'page', $3, $4)`,
      [id, accountId, currency, amountMinor],
    );
    const reference = topUpReference(id);
    const asked = {
      accountId,
      customerId,
      reference,
      amountMinor,
      currency,
      successUrl,
      cancelUrl,
      savesCard,
    };
    const topUp = await this.calls.make(
      'open_top_up',
      id,
      { ...asked, description: 'Credit' },
      (call) => this.provider.money.openTopUp(call),
      () => this.provider.money.findTopUp({ customerId, reference }),
    );
    await this.dataSource.query('UPDATE top_ups SET provider_id = $2 WHERE id = $1', [id, topUp.topUpId]);
    if (!topUp.url) throw new PaymentError('provider_refused', 'The provider opened no page to pay on.');
    return { id, url: topUp.url };
  }

  /** An account's own, by the provider's id that its return brought. @throws PaymentError `payment_not_found` */
  async find(accountId: number, providerId: string): Promise<TopUpRecord> {
    const [row] = await this.dataSource.query<TopUpRecord[]>(
      `${TOP_UP} WHERE account_id = $1 AND provider_id = $2`,
      [accountId, providerId],
    );
    if (!row) throw new PaymentError('payment_not_found', 'This payment is not known: start again.');
    return row;
  }

  /** The newest first. */
  list(
    accountId: number,
    page: { readonly limit: number; readonly offset?: number },
  ): Promise<TopUpRecord[]> {
    return this.dataSource.query<TopUpRecord[]>(
      `${TOP_UP} WHERE account_id = $1 ORDER BY created_at DESC, id LIMIT $2 OFFSET $3`,
      [accountId, page.limit, page.offset ?? 0],
    );
  }

  /** The provider's page on which a customer manages their cards. */
  async openPortal(
    request: Pick<CardSetupRequest, 'accountId' | 'email' | 'name'> & { readonly returnUrl: string },
  ): Promise<{ readonly url: string }> {
    const customerId = await this.cards.ensureCustomer(request);
    const asked = { customerId, returnUrl: request.returnUrl };
    return this.calls.make('open_portal', newId(), asked, (call) => this.provider.money.openPortal(call));
  }
}

/** One by its own id, within the caller's transaction. */
export async function topUpById(manager: EntityManager, id: number): Promise<TopUpRecord | undefined> {
  const [row] = await manager.query<TopUpRecord[]>(`${TOP_UP} WHERE id = $1`, [id]);
  return row;
}

const REFERENCE = /^top-up (\d{1,16})$/;

/** Whether a reference at the provider is that of a payment in, be it one that we know or not. */
export function isTopUp(reference: string | undefined): boolean {
  return reference !== undefined && REFERENCE.test(reference);
}

/** The one that a payment or a page at the provider belongs to, by the reference that it carries. */
export async function topUpOfReference(
  manager: EntityManager,
  reference: string | undefined,
): Promise<TopUpRecord | undefined> {
  const [, id] = REFERENCE.exec(reference ?? '') ?? [];
  return id === undefined ? undefined : topUpById(manager, Number(id));
}

/** Writes how one stands at the provider; what has been paid stays so. */
export async function noteTopUp(
  manager: EntityManager,
  id: number,
  seen: Pick<TopUpRecord, 'status' | 'paymentId' | 'declineCode'> & { readonly at: Date },
): Promise<void> {
  await manager.query(
    `UPDATE top_ups SET status = $2, payment_id = coalesce($3, payment_id), decline_code = $4,
       finished_at = CASE WHEN $2 IN ('open', 'processing') THEN NULL ELSE $5::timestamptz END
     WHERE id = $1 AND status <> 'paid'`,
    [id, seen.status, seen.paymentId, seen.declineCode, seen.at],
  );
}
