import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { GuestSurvey } from '#libs/hypervisor';
import type { HealthCheck } from '#libs/images';

/** Where a script is run: on the clone, or on the server itself. */
export type RunStage = 'rehearsal' | 'production';
export type RunState = 'waiting' | 'running' | 'passed' | 'failed' | 'rolled_back';

export interface CheckResult {
  readonly check: HealthCheck;
  readonly passed: boolean;
}

/** One run of a rehearsal's script, and what the system was before and after it. */
@Entity('rehearsal_runs')
export class RehearsalRun {
  @PrimaryColumn('bigint') id!: number;
  @Column('bigint', { name: 'rehearsal_id' }) rehearsalId!: number;
  @Column('text') stage!: RunStage;
  @Column('bigint', { name: 'server_id' }) serverId!: number;
  @Column('text', { default: 'waiting' }) state!: RunState;
  @Column('text', { name: 'error_code', nullable: true }) errorCode!: string | null;
  @Column('text', { name: 'error_message', nullable: true }) errorMessage!: string | null;
  @Column('jsonb', { nullable: true }) before!: GuestSurvey | null;
  @Column('jsonb', { nullable: true }) after!: GuestSurvey | null;
  @Column('int', { name: 'exit_code', nullable: true }) exitCode!: number | null;
  @Column('int', { name: 'script_seconds', nullable: true }) scriptSeconds!: number | null;
  /** Of the output. */
  @Column('int', { name: 'kept_bytes', default: 0 }) keptBytes!: number;
  @Column('bigint', { name: 'cut_bytes', default: 0 }) cutBytes!: number;
  @Column('jsonb', { nullable: true }) checks!: CheckResult[] | null;
  /** Whether the server passed its checks after it was rolled back; null: it was not. */
  @Column('boolean', { name: 'answers_again', nullable: true }) answersAgain!: boolean | null;
  @Column('timestamptz', { name: 'created_at', default: () => 'now()' }) createdAt!: Date;
  @Column('timestamptz', { name: 'started_at', nullable: true }) startedAt!: Date | null;
  @Column('timestamptz', { name: 'finished_at', nullable: true }) finishedAt!: Date | null;
}
