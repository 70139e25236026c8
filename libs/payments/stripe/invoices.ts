import type Stripe from 'stripe';
import { declined, PaymentError } from '../payments.errors.ts';
import type { Keyed } from '../port-common.ts';
import type {
  AddInvoiceLine,
  CreateInvoice,
  InvoiceLine,
  InvoiceProvider,
  InvoiceStatus,
  ProviderInvoice,
} from '../port-invoices.ts';
import { createdSince, keyed, type StripeCaller } from './caller.ts';
import { isCardError, isMissing, isRefused } from './errors.ts';
import { invoiceLineOf, invoiceOf } from './invoice-mapping.ts';
import { ACCOUNT_KEY, REFERENCE_KEY } from './mapping.ts';

const WITH_PAYMENT = { expand: ['payments.data.payment.payment_intent'] };
const LIST_WITH_PAYMENT = { expand: ['data.payments'] };

type ById = { readonly invoiceId: string } & Keyed;

/** Stripe Invoicing behind the port. */
export class StripeInvoices implements InvoiceProvider {
  readonly #caller: StripeCaller;

  constructor(caller: StripeCaller) {
    this.#caller = caller;
  }

  create(request: CreateInvoice): Promise<ProviderInvoice> {
    const { collection } = request;
    return this.#caller.call(async (stripe) =>
      invoiceOf(
        await stripe.invoices.create(
          {
            customer: request.customerId,
            currency: request.currency,
            auto_advance: false,
            pending_invoice_items_behavior: 'exclude',
            metadata: { [ACCOUNT_KEY]: String(request.accountId), [REFERENCE_KEY]: request.reference },
            ...(request.description ? { description: request.description } : {}),
            ...(request.number ? { number: request.number } : {}),
            ...(collection.by === 'terms'
              ? { collection_method: 'send_invoice', days_until_due: collection.days }
              : { collection_method: 'charge_automatically' }),
            ...WITH_PAYMENT,
          },
          keyed(request),
        ),
      ),
    );
  }

  addLine(request: AddInvoiceLine): Promise<InvoiceLine> {
    const seconds = (date: Date | string) => Math.floor(new Date(date).getTime() / 1000);
    return this.#settle(request.invoiceId, async (stripe) => {
      const item = await stripe.invoiceItems.create(
        {
          customer: request.customerId,
          invoice: request.invoiceId,
          amount: request.amountMinor,
          currency: request.currency,
          description: request.description,
          period: { start: seconds(request.from), end: seconds(request.to) },
          metadata: { [REFERENCE_KEY]: request.reference },
        },
        keyed(request),
      );
      return invoiceLineOf(item);
    });
  }

  finalize(request: ById & { readonly retries: boolean }): Promise<ProviderInvoice> {
    return this.#move(request, ['open', 'paid'], (stripe) =>
      stripe.invoices.finalizeInvoice(
        request.invoiceId,
        { auto_advance: request.retries, ...WITH_PAYMENT },
        keyed(request),
      ),
    );
  }

  async pay(request: ById & { readonly cardId?: string }): Promise<ProviderInvoice> {
    const card = request.cardId ? { payment_method: request.cardId } : {};
    return this.#move(request, ['paid'], async (stripe) => {
      try {
        return await stripe.invoices.pay(
          request.invoiceId,
          { off_session: true, ...card, ...WITH_PAYMENT },
          keyed(request),
        );
      } catch (error) {
        if (isCardError(error)) return await stripe.invoices.retrieve(request.invoiceId, WITH_PAYMENT);
        if (isRefused(error) && !request.cardId && (await this.#lacksCard(stripe, request.invoiceId))) {
          throw declined('no_card', { cause: error });
        }
        throw error;
      }
    });
  }

  settleElsewhere(request: ById): Promise<ProviderInvoice> {
    return this.#move(request, ['paid'], (stripe) =>
      stripe.invoices.pay(request.invoiceId, { paid_out_of_band: true, ...WITH_PAYMENT }, keyed(request)),
    );
  }

  send(request: ById): Promise<ProviderInvoice> {
    return this.#move(request, ['paid'], (stripe) =>
      stripe.invoices.sendInvoice(request.invoiceId, WITH_PAYMENT, keyed(request)),
    );
  }

  void(request: ById): Promise<ProviderInvoice> {
    return this.#move(request, ['void'], (stripe) =>
      stripe.invoices.voidInvoice(request.invoiceId, WITH_PAYMENT, keyed(request)),
    );
  }

  writeOff(request: ById): Promise<ProviderInvoice> {
    return this.#move(request, ['uncollectible'], (stripe) =>
      stripe.invoices.markUncollectible(request.invoiceId, WITH_PAYMENT, keyed(request)),
    );
  }

  discard(request: ById): Promise<void> {
    return this.#settle(request.invoiceId, async (stripe) => {
      try {
        await stripe.invoices.del(request.invoiceId, {}, keyed(request));
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    });
  }

  fetch(invoiceId: string): Promise<ProviderInvoice> {
    return this.#caller.find('invoice_not_found', invoiceId, async (stripe) =>
      invoiceOf(await stripe.invoices.retrieve(invoiceId, WITH_PAYMENT)),
    );
  }

  find({
    customerId,
    reference,
  }: {
    customerId: string;
    reference: string;
  }): Promise<ProviderInvoice | undefined> {
    return this.#caller.first(
      (stripe, cursor) => stripe.invoices.list({ customer: customerId, ...cursor, ...LIST_WITH_PAYMENT }),
      (invoice) => invoice.metadata?.[REFERENCE_KEY] === reference,
      invoiceOf,
    );
  }

  async listLines(invoiceId: string): Promise<readonly InvoiceLine[]> {
    const lines: InvoiceLine[] = [];
    const page = (stripe: Stripe, cursor: object) => stripe.invoices.listLineItems(invoiceId, cursor);
    for await (const line of this.#caller.each(page, invoiceLineOf)) lines.push(line);
    return lines;
  }

  list(since: Date): AsyncIterable<ProviderInvoice> {
    return this.#caller.each(
      (stripe, cursor) => stripe.invoices.list({ ...createdSince(since), ...cursor, ...LIST_WITH_PAYMENT }),
      invoiceOf,
    );
  }

  /** Whether there is nothing that an open invoice could be charged to. Stripe has no code for that refusal. */
  async #lacksCard(stripe: Stripe, invoiceId: string): Promise<boolean> {
    const invoice = await stripe.invoices.retrieve(invoiceId, { expand: ['customer'] });
    const customer = typeof invoice.customer === 'object' ? invoice.customer : null;
    if (invoice.status !== 'open' || invoice.default_payment_method) return false;
    return !customer || customer.deleted === true || !customer.invoice_settings.default_payment_method;
  }

  /** Moves an invoice. Where it cannot be moved because it is there already, it is answered as it is. */
  #move(
    request: ById,
    goal: readonly InvoiceStatus[],
    call: (stripe: Stripe) => Promise<Stripe.Invoice>,
  ): Promise<ProviderInvoice> {
    return this.#settle(request.invoiceId, async (stripe) => {
      try {
        return invoiceOf(await call(stripe));
      } catch (error) {
        if (!isRefused(error)) throw error;
        const now = await stripe.invoices.retrieve(request.invoiceId, WITH_PAYMENT);
        if (goal.includes(now.status as InvoiceStatus)) return invoiceOf(now);
        throw error;
      }
    });
  }

  /** Puts refusals of an invoice's state in our words. */
  #settle<T>(invoiceId: string, call: (stripe: Stripe) => Promise<T>): Promise<T> {
    return this.#caller.find('invoice_not_found', invoiceId, async (stripe) => {
      try {
        return await call(stripe);
      } catch (error) {
        if (!isRefused(error) || isMissing(error) || !isOfState(error)) throw error;
        throw new PaymentError('invoice_not_open', `Invoice ${invoiceId} is in no state for that.`, {
          cause: error,
        });
      }
    });
  }
}

/** How Stripe says that an invoice's state does not allow a call; for some it has no code, and names no field. */
function isOfState({ code, param }: { code?: string | undefined; param?: string | undefined }): boolean {
  return code === undefined ? param === undefined : STATE_CODES.includes(code);
}

const STATE_CODES = ['invoice_not_editable', 'status_transition_invalid', 'invoice_already_paid'];
