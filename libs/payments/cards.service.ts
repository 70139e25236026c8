import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { type Clock, type Currency, newId } from '#libs/kernel';
import { PaymentCalls } from './payment-calls.service.ts';
import { declined, PaymentError } from './payments.errors.ts';
import { MONEY_CLOCK, PAYMENT_PROVIDER } from './payments.tokens.ts';
import type { Card, CardSetupStatus, PaymentProvider } from './port.ts';

/** A card on file, as customers see it. */
export interface SavedCard {
  readonly id: number;
  readonly brand: string;
  readonly last4: string;
  readonly expiryMonth: number;
  readonly expiryYear: number;
  readonly isDefault: boolean;
  readonly createdAt: Date;
}

/** What a charge needs to know of an account. */
export interface ChargeableCard {
  readonly customerId: string;
  /** The provider's id of the card. */
  readonly cardId: string;
}

export interface CardSetupRequest {
  readonly accountId: number;
  readonly email: string;
  readonly name?: string;
  readonly currency: Currency;
  /** Where the browser returns; `{SETUP_ID}` in it becomes the id to give to `finishSetup`. */
  readonly successUrl: string;
  readonly cancelUrl: string;
}

const CARD_COLUMNS = `id, brand, last4, expiry_month AS "expiryMonth", expiry_year AS "expiryYear",
  is_default AS "isDefault", created_at AS "createdAt"`;

/** Customers and their cards. The numbers of cards are the provider's alone. */
@Injectable()
export class CardsService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly calls: PaymentCalls,
    @Inject(PAYMENT_PROVIDER) private readonly provider: PaymentProvider,
    @Inject(MONEY_CLOCK) private readonly clock: Clock,
  ) {}

  /** Opens the page on which a customer saves a card. Nothing is charged. */
  async openSetup(request: CardSetupRequest): Promise<{ setupId: string; url: string }> {
    const customerId = await this.ensureCustomer(request);
    const { accountId, currency, successUrl, cancelUrl } = request;
    const id = newId();
    await this.dataSource.query('INSERT INTO card_setups (id, account_id) VALUES ($1, $2)', [id, accountId]);
    const asked = { accountId, customerId, currency, successUrl, cancelUrl };
    const setup = await this.calls.make('open_card_setup', id, asked, (call) =>
      this.provider.openCardSetup(call),
    );
    await this.dataSource.query('UPDATE card_setups SET provider_id = $2 WHERE id = $1', [id, setup.setupId]);
    if (!setup.url) throw new PaymentError('provider_refused', 'The provider opened no page for the card.');
    return { setupId: setup.setupId, url: setup.url };
  }

  /**
   * Looks whether a setup of this account is done, and if so makes its card the default one. The customer's return
   * and the webhook both call it; it may be repeated. @throws PaymentError `card_not_found`.
   */
  async finishSetup(accountId: number, setupId: string): Promise<readonly SavedCard[]> {
    const sql = 'SELECT 1 FROM card_setups WHERE provider_id = $1 AND account_id = $2';
    const [row] = await this.dataSource.query<unknown[]>(sql, [setupId, accountId]);
    if (!row) throw new PaymentError('card_not_found', 'This card setup is not known: start again.');
    await this.settleSetup(setupId);
    return this.list(accountId);
  }

  /** How a setup of this account stands now; see {@link finishSetup}. @throws PaymentError `card_not_found`. */
  async setupStatus(accountId: number, setupId: string): Promise<CardSetupStatus> {
    await this.finishSetup(accountId, setupId);
    const sql = 'SELECT status FROM card_setups WHERE provider_id = $1';
    const [row] = await this.dataSource.query<{ status: CardSetupStatus }[]>(sql, [setupId]);
    return row?.status ?? 'open';
  }

  /** Acts on what is true now about a setup; one that is not ours is left alone. */
  async settleSetup(setupId: string): Promise<void> {
    const sql = `SELECT id, account_id AS "accountId", status FROM card_setups WHERE provider_id = $1`;
    const [row] = await this.dataSource.query<{ id: number; accountId: number; status: string }[]>(sql, [
      setupId,
    ]);
    if (row?.status !== 'open') return;
    const setup = await this.provider.fetchCardSetup(setupId);
    if (setup.status === 'open') return;
    if (setup.cardId) {
      const asked = { customerId: setup.customerId, cardId: setup.cardId };
      await this.calls.make('default_card', row.id, asked, (call) => this.provider.makeDefaultCard(call));
      await this.syncCards(row.accountId);
    }
    await this.dataSource.query('UPDATE card_setups SET status = $2, finished_at = now() WHERE id = $1', [
      row.id,
      setup.status,
    ]);
  }

  /** An account's cards, the default one first. */
  list(accountId: number): Promise<SavedCard[]> {
    return this.dataSource.query<SavedCard[]>(
      `SELECT ${CARD_COLUMNS} FROM cards WHERE account_id = $1 AND detached_at IS NULL
       ORDER BY is_default DESC, created_at DESC, id`,
      [accountId],
    );
  }

  /** @throws PaymentError `card_not_found`. */
  async makeDefault(accountId: number, id: number): Promise<void> {
    const { cardId, customerId } = await this.#own(accountId, id);
    const asked = { customerId, cardId };
    await this.calls.make('default_card', newId(), asked, (call) => this.provider.makeDefaultCard(call));
    await this.syncCards(accountId);
  }

  /** Forgets a card, at the provider too. @throws PaymentError `card_not_found`. */
  async remove(accountId: number, id: number): Promise<void> {
    const { cardId } = await this.#own(accountId, id);
    await this.calls.make('detach_card', id, { cardId }, (call) => this.provider.detachCard(call));
    await this.syncCards(accountId);
  }

  /** The card that an account's next payment is made with. @throws PaymentError `no_card`, `card_expired`. */
  async chargeable(accountId: number): Promise<ChargeableCard> {
    const [card] = await this.dataSource.query<(ChargeableCard & { year: number; month: number })[]>(
      `SELECT s.provider_id AS "customerId", c.provider_id AS "cardId", c.expiry_year AS year,
         c.expiry_month AS month
       FROM cards c JOIN stripe_customers s USING (account_id)
       WHERE c.account_id = $1 AND c.is_default AND c.detached_at IS NULL`,
      [accountId],
    );
    if (!card) throw declined('no_card');
    const today = this.clock.now();
    const isExpired = card.year * 12 + card.month < today.getUTCFullYear() * 12 + today.getUTCMonth() + 1;
    if (isExpired) throw declined('card_expired');
    return { customerId: card.customerId, cardId: card.cardId };
  }

  /**
   * Brings our copy of an account's cards to what the provider has. One at a time, so that old lists cannot win. Who has
   * cards has a default one: where the provider knows none, because it was removed or the first one came with a
   * payment, it is the newest.
   */
  async syncCards(accountId: number): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      const sql = 'SELECT provider_id AS id FROM stripe_customers WHERE account_id = $1 FOR UPDATE';
      const [customer] = await manager.query<{ id: string }[]>(sql, [accountId]);
      if (!customer) return;
      const cards = await this.provider.listCards(customer.id);
      await writeCards(manager, accountId, await this.#withDefault(customer.id, cards));
    });
  }

  async #withDefault(customerId: string, cards: readonly Card[]): Promise<readonly Card[]> {
    const [newest] = cards;
    if (!newest || cards.some(({ isDefault }) => isDefault)) return cards;
    const asked = { customerId, cardId: newest.cardId };
    await this.calls.make('default_card', newId(), asked, (call) => this.provider.makeDefaultCard(call));
    return cards.map((card) => ({ ...card, isDefault: card === newest }));
  }

  /** For an event about a customer; one that is not ours is left alone. */
  async syncCustomer(customerId: string): Promise<void> {
    const accountId = await this.accountOfCustomer(customerId);
    if (accountId !== undefined) await this.syncCards(accountId);
  }

  /** For an event about a card that has no customer any more. */
  async syncOwnerOf(cardId: string): Promise<void> {
    const accountId = await this.accountOfCard(cardId);
    if (accountId !== undefined) await this.syncCards(accountId);
  }

  /**
   * The provider has deleted a customer: their cards are gone, and the account gets a new customer when it next
   * needs one. Within the caller's transaction.
   */
  async forgetCustomer(manager: EntityManager, accountId: number): Promise<void> {
    await writeCards(manager, accountId, []);
    await manager.query('DELETE FROM stripe_customers WHERE account_id = $1', [accountId]);
    const sql = `UPDATE payment_calls SET is_spent = true WHERE kind = 'create_customer' AND subject_id = $1`;
    await manager.query(sql, [accountId]);
  }

  /** The account behind the provider's id of a customer, if it is one of ours. */
  accountOfCustomer(customerId: string): Promise<number | undefined> {
    return this.#accountOf(
      'SELECT account_id AS id FROM stripe_customers WHERE provider_id = $1',
      customerId,
    );
  }

  /** The customer at the provider that stands for an account now, if there is one. */
  async customerOf(accountId: number, manager = this.dataSource.manager): Promise<string | undefined> {
    const sql = 'SELECT provider_id AS id FROM stripe_customers WHERE account_id = $1';
    const [customer] = await manager.query<{ id: string }[]>(sql, [accountId]);
    return customer?.id;
  }

  /** The account that has, or had, a card. */
  accountOfCard(cardId: string): Promise<number | undefined> {
    return this.#accountOf('SELECT account_id AS id FROM cards WHERE provider_id = $1', cardId);
  }

  /** The account that a card setup was opened for. */
  accountOfSetup(setupId: string): Promise<number | undefined> {
    return this.#accountOf('SELECT account_id AS id FROM card_setups WHERE provider_id = $1', setupId);
  }

  async #accountOf(sql: string, providerId: string): Promise<number | undefined> {
    const [account] = await this.dataSource.query<{ id: number }[]>(sql, [providerId]);
    return account?.id;
  }

  /** The provider's id of the customer that stands for an account, made if there is none. */
  async ensureCustomer({
    accountId,
    email,
    name,
  }: Pick<CardSetupRequest, 'accountId' | 'email' | 'name'>): Promise<string> {
    const known = await this.customerOf(accountId);
    if (known !== undefined) return known;
    const asked = { accountId, email, ...(name ? { name } : {}) };
    const created = await this.calls.make('create_customer', accountId, asked, (call) =>
      this.provider.createCustomer(call),
    );
    await this.dataSource.query(
      'INSERT INTO stripe_customers (account_id, provider_id) VALUES ($1, $2) ON CONFLICT DO NOTHING',
      [accountId, created.customerId],
    );
    return (await this.customerOf(accountId)) ?? created.customerId;
  }

  async #own(accountId: number, id: number): Promise<ChargeableCard> {
    const [card] = await this.dataSource.query<ChargeableCard[]>(
      `SELECT c.provider_id AS "cardId", s.provider_id AS "customerId"
       FROM cards c JOIN stripe_customers s USING (account_id)
       WHERE c.id = $1 AND c.account_id = $2 AND c.detached_at IS NULL`,
      [id, accountId],
    );
    if (!card) throw new PaymentError('card_not_found', `There is no card ${id} on file.`);
    return card;
  }
}

async function writeCards(manager: EntityManager, accountId: number, cards: readonly Card[]): Promise<void> {
  const kept = cards.map((card) => card.cardId);
  await manager.query(
    `UPDATE cards SET is_default = false, detached_at = CASE WHEN provider_id = ANY ($2) THEN NULL ELSE now() END
     WHERE account_id = $1 AND detached_at IS NULL`,
    [accountId, kept],
  );
  for (const card of cards) {
    await manager.query(
      `INSERT INTO cards (id, account_id, provider_id, brand, last4, expiry_month, expiry_year, is_default)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
       ON CONFLICT (provider_id) DO UPDATE SET brand = $4, last4 = $5, expiry_month = $6, expiry_year = $7,
         is_default = $8, detached_at = NULL`,
      [
        newId(),
        accountId,
        card.cardId,
        card.brand,
        card.last4,
        card.expiryMonth,
        card.expiryYear,
        card.isDefault,
      ],
    );
  }
}
