import { button, letter, paragraph } from '../letter.ts';
import type { MailContext } from '../template.ts';

interface UpgradeNotAppliedData {
  readonly server: string;
  /** Ends a sentence after a colon. */
  readonly reason: string;
  /** Whether the server passed its checks after it was rolled back; null: nothing had to be rolled back. */
  readonly answersAgain: boolean | null;
  readonly rehearsalId: number;
}

export function upgradeNotApplied(data: UpgradeNotAppliedData, { siteUrl }: MailContext) {
  const { server, reason, answersAgain, rehearsalId } = data;
  const isRolledBack = answersAgain !== null;
  const what = isRolledBack ? 'was rolled back' : 'was not applied';
  return letter(`The upgrade of ${server} ${what}`, [
    paragraph(`The upgrade of ${server} that you rehearsed ${what}: ${reason}.`),
    paragraph(meaning(answersAgain)),
    button('See what happened', `${siteUrl}/rehearsals/${rehearsalId}`),
  ]);
}

function meaning(answersAgain: boolean | null): string {
  if (answersAgain === null) return 'Nothing was changed on the server, and you can apply it again.';
  const kept = 'What the upgrade left behind is kept for a day as an image, for you to look into.';
  return answersAgain
    ? `The server is what it was right before, and passes its checks. ${kept}`
    : `The server has its disk from right before, and has not passed its checks since: please look after it. ${kept}`;
}
