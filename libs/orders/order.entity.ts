import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Currency } from '#libs/kernel';

/** `cancelled`: its owner deleted the server before it was ready. Neither that nor `failed` costs anything. */
export type OrderStatus = 'placed' | 'fulfilled' | 'failed' | 'cancelled';

/** One ordered server at the prices of that moment. */
@Entity('orders')
export class Order {
  @PrimaryColumn('bigint') id!: number;
  @Column('bigint', { name: 'account_id' }) accountId!: number;
  @Column('bigint', { name: 'project_id' }) projectId!: number;
  @Column('bigint', { name: 'server_id' }) serverId!: number;
  @Column('bigint', { name: 'action_id' }) actionId!: number;
  @Column('bigint', { name: 'saga_id' }) sagaId!: number;
  @Column('text', { default: 'placed' }) status!: OrderStatus;
  /** 0 when the account needs no hold. */
  @Column('bigint', { name: 'hold_amount_minor' }) holdAmountMinor!: number;
  @Column('char', { length: 3 }) currency!: Currency;
  @Column('bigint', { name: 'price_hourly_micro' }) priceHourlyMicro!: number;
  @Column('bigint', { name: 'price_monthly_minor' }) priceMonthlyMinor!: number;
  @Column('text', { name: 'failure_code', nullable: true }) failureCode!: string | null;
  @Column('text', { name: 'failure_message', nullable: true }) failureMessage!: string | null;
  @Column('timestamptz', { name: 'created_at', default: () => 'now()' }) createdAt!: Date;
  @Column('timestamptz', { name: 'finished_at', nullable: true }) finishedAt!: Date | null;
}
