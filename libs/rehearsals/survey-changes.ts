import type { GuestSurvey } from '#libs/hypervisor';
import { type Change, changedEntries } from '#libs/kernel';

/** What is different between two surveys of a system. */
export interface SurveyChanges {
  readonly kernel: { readonly before: string | null; readonly after: string | null } | null;
  /** Null before: it was added. Null after: it was removed. */
  readonly packages: readonly Change<string | null>[];
  /** States of services; null: there is none of this name. */
  readonly services: readonly Change<string | null>[];
  readonly failedUnits: Difference;
  readonly listening: Difference;
  /** Used space in KiB, by mount point. */
  readonly disks: readonly Change<number | null>[];
}

export interface Difference {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** Compares two surveys. Pure. */
export function changesBetween(before: GuestSurvey, after: GuestSurvey): SurveyChanges {
  const used = ({ disks }: GuestSurvey) =>
    Object.fromEntries(disks.map(({ mountPoint, usedKib }) => [mountPoint, usedKib]));
  return {
    kernel: before.kernel === after.kernel ? null : { before: before.kernel, after: after.kernel },
    packages: changedEntries(before.packages, after.packages),
    services: changedEntries(before.services, after.services),
    failedUnits: difference(before.failedUnits, after.failedUnits),
    listening: difference(before.listening, after.listening),
    disks: changedEntries(used(before), used(after)),
  };
}

function difference(before: readonly string[], after: readonly string[]): Difference {
  const [former, latter] = [new Set(before), new Set(after)];
  return { added: [...latter.difference(former)], removed: [...former.difference(latter)] };
}
