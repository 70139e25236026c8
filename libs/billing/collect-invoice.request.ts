import { z } from 'zod';
import { sagaRequest } from '#libs/saga';

/** Collects what is open of an invoice. Asking again tries again; the subject is the invoice. */
export const collectInvoiceRequest = sagaRequest('collect-invoice', z.object({ invoiceId: z.int() }));
