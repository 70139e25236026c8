import { checkoutReactions } from './checkout.ts';
import { disputeReactions } from './disputes.ts';
import { invoiceReactions } from './invoice-collection.ts';

/** What events of one object bring about in others, in the order in which it happens. */
export const reactions = [...invoiceReactions, ...checkoutReactions, ...disputeReactions];
