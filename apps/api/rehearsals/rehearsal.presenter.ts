import type {
  RehearsalRunWire,
  RehearsalSummaryWire,
  RehearsalWire,
  SystemChangesWire,
  SystemStateWire,
} from '#libs/contracts';
import type { GuestSurvey } from '#libs/hypervisor';
import {
  APPLICABLE_DAYS,
  changesBetween,
  type Rehearsal,
  type RehearsalRun,
  type RehearsalWithRuns,
} from '#libs/rehearsals';
import { wireTime, wireTimeOrNull } from '../http/wire.ts';

const DAY_MILLISECONDS = 86_400_000;

export function presentRehearsal({ rehearsal, runs }: RehearsalWithRuns): RehearsalWire {
  return {
    ...presentSummary(rehearsal),
    rehearsal: runs.rehearsal ? presentRun(runs.rehearsal) : null,
    production: runs.production ? presentRun(runs.production) : null,
  };
}

export function presentSummary(rehearsal: Rehearsal): RehearsalSummaryWire {
  const isOver = rehearsal.state === 'passed' || rehearsal.state === 'failed';
  const until = new Date(rehearsal.createdAt.getTime() + APPLICABLE_DAYS * DAY_MILLISECONDS);
  const hasClone = rehearsal.state === 'rehearsing' || rehearsal.cloneExpiresAt !== null;
  return {
    id: rehearsal.id,
    server: rehearsal.serverId,
    status: rehearsal.state,
    created: wireTime(rehearsal.createdAt),
    finished: wireTimeOrNull(rehearsal.finishedAt),
    applicable_until: isOver && until > new Date() ? wireTime(until) : null,
    script_bytes: rehearsal.scriptBytes,
    timeout_seconds: rehearsal.timeoutSeconds,
    health_checks: rehearsal.healthChecks,
    clone:
      hasClone && rehearsal.cloneServerId !== null
        ? { server: rehearsal.cloneServerId, expires: wireTimeOrNull(rehearsal.cloneExpiresAt) }
        : null,
  };
}

function presentRun(run: RehearsalRun): RehearsalRunWire {
  const { before, after } = run;
  return {
    status: run.state,
    server: run.serverId,
    started: wireTimeOrNull(run.startedAt),
    finished: wireTimeOrNull(run.finishedAt),
    exit_code: run.exitCode,
    script_seconds: run.scriptSeconds,
    output: { kept_bytes: run.keptBytes, cut_bytes: run.cutBytes },
    checks: run.checks,
    before: before && presentState(before),
    after: after && presentState(after),
    changes: before && after && presentChanges(before, after),
    answers_again: run.answersAgain,
    error: run.errorCode === null ? null : { code: run.errorCode, message: run.errorMessage ?? '' },
  };
}

function presentState(survey: GuestSurvey): SystemStateWire {
  return {
    kernel: survey.kernel,
    packages: Object.keys(survey.packages).length,
    failed_units: [...survey.failedUnits],
    listening: [...survey.listening],
    disks: survey.disks.map(({ mountPoint, sizeKib, usedKib }) => ({
      mount_point: mountPoint,
      size_bytes: kibToBytes(sizeKib),
      used_bytes: kibToBytes(usedKib),
    })),
    boot_seconds: secondsOf(survey),
  };
}

function presentChanges(before: GuestSurvey, after: GuestSurvey): SystemChangesWire {
  const changes = changesBetween(before, after);
  const { failedUnits, listening } = changes;
  return {
    kernel: changes.kernel,
    packages: [...changes.packages],
    services: [...changes.services],
    failed_units: { added: [...failedUnits.added], removed: [...failedUnits.removed] },
    listening: { added: [...listening.added], removed: [...listening.removed] },
    disks: changes.disks.map((disk) => ({
      mount_point: disk.name,
      before_bytes: disk.before === null ? null : kibToBytes(disk.before),
      after_bytes: disk.after === null ? null : kibToBytes(disk.after),
    })),
    boot_seconds: { before: secondsOf(before), after: secondsOf(after) },
  };
}

function secondsOf({ bootMilliseconds }: GuestSurvey): number | null {
  return bootMilliseconds === null ? null : bootMilliseconds / 1000;
}

function kibToBytes(kib: number): number {
  return Math.min(Number.MAX_SAFE_INTEGER, kib * 1024);
}
