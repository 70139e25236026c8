import type { EntityManager } from 'typeorm';
import { newId } from '#libs/kernel';

/** What a span bills: one server at the prices of its order. */
export interface NewSpan {
  readonly accountId: number;
  readonly projectId: number;
  readonly serverId: number;
  readonly serverTypeId: number;
  readonly priceHourlyMicro: number;
  readonly priceMonthlyMinor: number;
  readonly currency: string;
}

/** Opens the billed time of a server at the transaction's moment; a server has one open span at most. */
export async function openSpan(manager: EntityManager, span: NewSpan): Promise<void> {
  await manager.query(
    `INSERT INTO usage_spans (id, account_id, project_id, server_id, server_type_id, price_hourly_micro,
                              price_monthly_minor, currency, opened_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, now())
     ON CONFLICT (server_id) WHERE closed_at IS NULL DO NOTHING`,
    [
      newId(),
      span.accountId,
      span.projectId,
      span.serverId,
      span.serverTypeId,
      span.priceHourlyMicro,
      span.priceMonthlyMinor,
      span.currency,
    ],
  );
}

/** Closes the billed time of a server at the transaction's moment; success where none is open. */
export async function closeSpan(manager: EntityManager, serverId: number): Promise<void> {
  await manager.query(
    `UPDATE usage_spans SET closed_at = greatest(now(), opened_at) WHERE server_id = $1 AND closed_at IS NULL`,
    [serverId],
  );
}
