import type { ImageWire } from '#libs/contracts';

/** What its owner called it, or else what it is. */
export function nameOf({ description, type, servery }: ImageWire): string {
  if (description) return description;
  if (servery.made_by === 'roll_back') return 'Before the roll back';
  return type === 'backup' ? 'Backup' : 'Snapshot';
}
