import { formatDate, formatDateWithZone } from '../format.ts';

/** A moment in the visitor's own time zone; the zone is named on hover and to machines. */
export function Time({ at }: { at: string }) {
  return (
    <time dateTime={at} title={formatDateWithZone(at)}>
      {formatDate(at)}
    </time>
  );
}
