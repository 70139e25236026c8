import type { CookStageWire, CookStatusWire, CookWire } from '#libs/contracts';
import { formatBytes, formatCount } from '../../format.ts';

/** What a cook has become, in a few words. */
export const STATUS_WORDS: Readonly<Record<CookStatusWire, string>> = {
  waiting: 'Waits for its turn',
  cooking: 'Being cooked',
  available: 'Cooked',
  failed: 'It did not work',
  cancelled: 'Stopped',
};

/** What a cook goes through, in order. */
export const STAGES: readonly (readonly [stage: CookStageWire, title: string])[] = [
  ['waiting', 'Waiting for its turn'],
  ['choose', 'Choosing the newest packages'],
  ['fetch', 'Fetching them'],
  ['install', 'Installing them'],
  ['furnish', 'Files, services and ports'],
  ['disk', 'Writing the disk'],
  ['convert', 'Making the image of it'],
  ['publish', 'Bringing it to the hosts'],
];

/** How it stands, in a line: `Cooked · 214 packages, 412.3 MB`. */
export function standingOf({
  status,
  percent,
  unchanged,
  size_bytes: size,
  packages_count: count,
}: CookWire) {
  if (status === 'cooking') return `${STATUS_WORDS.cooking}: ${percent} %`;
  if (status !== 'available') return STATUS_WORDS[status];
  if (unchanged) return 'Cooked · nothing had changed';
  const facts = [count !== null && formatCount(count, 'package'), size !== null && formatBytes(size)];
  return [STATUS_WORDS.available, facts.filter(Boolean).join(', ')].filter(Boolean).join(' · ');
}
