import type { RehearsalSummaryWire } from '#libs/contracts';

type Status = RehearsalSummaryWire['status'];

/** What a rehearsal has become, in a few words. */
export const STATUS_WORDS: Readonly<Record<Status, string>> = {
  rehearsing: 'Being tried on a clone',
  passed: 'It passed on the clone',
  failed: 'It failed on the clone',
  applying: 'Being applied to the server',
  applied: 'Applied to the server',
  rolled_back: 'It failed on the server, which was rolled back',
};
