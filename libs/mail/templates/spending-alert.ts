import { button, facts, letter, paragraph } from '../letter.ts';
import type { MailContext } from '../template.ts';

interface SpendingAlertData {
  readonly percent: number;
  /** As people read them: `EUR 12.50`. */
  readonly spent: string;
  readonly limit: string;
  /** `2027-01` */
  readonly month: string;
  readonly isHard: boolean;
}

/** A customer's own limit is reached by half, by four fifths or wholly. */
export function spendingAlert(data: SpendingAlertData, { siteUrl }: MailContext) {
  const { percent, spent, limit, month, isHard } = data;
  return letter(`${percent} % of your spending limit is used`, [
    paragraph(`Your servers have used ${percent} % of the limit that you set for a month.`),
    facts([
      ['Month', month],
      ['Spent so far, with tax', spent],
      ['Your limit', limit],
    ]),
    paragraph(meaning(percent, isHard)),
    button('See what was used', `${siteUrl}/billing`),
  ]);
}

function meaning(percent: number, isHard: boolean): string {
  if (percent < 100) return 'Nothing changes for your servers.';
  return isHard
    ? 'Your servers go on, and so does what they cost. New orders are refused until you raise the limit or the month ends.'
    : 'Your servers go on, and so does what they cost. New orders are taken as before.';
}
