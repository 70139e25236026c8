import { backupWindows, type EnableBackup, type ServerExtraWire, weekdays } from '#libs/contracts';
import { type BackupPlan, type PlanChange, WINDOW_BEGINS } from '#libs/servers';
import { wireTime } from '../http/wire.ts';

/** A plan as the wire has it. */
export function presentPlan(plan: BackupPlan): NonNullable<ServerExtraWire['backup_plan']> {
  const window = backupWindows.find((name) => beginOf(name) === plan.windowBeginsHour);
  if (!window) throw new Error(`no window begins at ${plan.windowBeginsHour}`);
  return {
    backup_window: window,
    weekday: plan.weekday === null ? null : (weekdays[plan.weekday] ?? null),
    keep: plan.keep,
    next: wireTime(plan.nextDueAt),
  };
}

/** What a body says of a plan. */
export function toPlanChange({ backup_window, weekday, keep }: EnableBackup): PlanChange {
  const begins = WINDOW_BEGINS.find((hour) => backup_window && hour === beginOf(backup_window));
  return {
    ...(begins === undefined ? {} : { windowBeginsHour: begins }),
    ...(weekday === undefined ? {} : { weekday: weekday === null ? null : weekdays.indexOf(weekday) }),
    ...(keep === undefined ? {} : { keep }),
  };
}

const beginOf = (window: (typeof backupWindows)[number]) => Number(window.slice(0, 2));
