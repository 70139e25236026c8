import {
  type Collection,
  collectInvoiceRequest,
  collection,
  dropCollection,
  formatNumber,
  invoice,
  isTakenBack,
  LEAST_CHARGE_MINOR,
  lockInvoice,
  noteCollection,
  notePaid,
  openCollection,
  payWithCredit,
  withdrawStale,
} from '#libs/billing';
import type { Currency } from '#libs/kernel';
import { DECLINE_CODES, PaymentError } from '#libs/payments';
import { deps, saga } from '#libs/saga';
import { accountOf, noteAttempt, takeBack } from './collect-invoice.steps.ts';
import type { CollectingDeps } from './collecting-deps.ts';
import { collectionReference, lookAtInvoice, seenCollection } from './provider-books.ts';

/**
 * From an invoice that was issued to money. Account credit pays first. What remains is asked for by an invoice of the
 * provider with one line for each of ours: ours is the tax document, with its tax, its many lines (the provider takes
 * 250), and those below zero. It is charged to the card, or sent with terms. Trying again asks anew only where
 * something else is owed by now, and only once what asked before can take no money any more. What a bank has taken back
 * is asked for on the provider's page alone.
 */
export const collectInvoice = saga(collectInvoiceRequest, deps<CollectingDeps>())
  .step('use-credit', {
    title: 'Paying with credit',
    transact: async (manager, { params: { invoiceId }, deps }) => {
      const at = deps.clock.now();
      const { books } = await lockInvoice(manager, invoiceId);
      await payWithCredit(manager, { invoiceId, at });
      await notePaid(manager, { accountId: books.accountId, at });
      const customerId = await deps.cards.customerOf(books.accountId, manager);
      const stale = await withdrawStale(manager, { invoiceId, customerId, at });
      return { stale: stale.map(({ id }) => id) };
    },
    noUndo: 'what credit has paid is paid, and what asked wrongly is to ask no more',
  })
  .step('withdraw', {
    title: 'Withdrawing what asked for another sum',
    do: async ({ outputs, deps }) => {
      const withdrawn: string[] = [];
      for (const id of outputs['use-credit'].stale) {
        const providerId = await takeBack(deps, await collection(deps.dataSource.manager, id));
        if (providerId !== undefined) withdrawn.push(providerId);
      }
      return { withdrawn };
    },
    commit: async (manager, { outputs, deps }, { withdrawn }) => {
      for (const providerId of withdrawn) await lookAtInvoice(manager, deps, providerId);
      for (const id of outputs['use-credit'].stale) {
        const { providerId } = await collection(manager, id);
        if (providerId === null) await dropCollection(manager, id, deps.clock.now());
      }
    },
    noUndo: 'what asked wrongly is to ask no more',
  })
  .step('ask', {
    title: 'Reckoning what is open',
    transact: async (manager, { params: { invoiceId }, deps }) => {
      const asked = { invoiceId, leastMinor: LEAST_CHARGE_MINOR, at: deps.clock.now() };
      const opened = await openCollection(manager, asked);
      return { collectionId: opened?.id ?? null, isNew: opened?.status === 'requested' };
    },
    undoTransact: async (manager, { output, deps }) => {
      if (!output?.isNew || output.collectionId === null) return;
      const { status } = await collection(manager, output.collectionId);
      if (status !== 'paid') await dropCollection(manager, output.collectionId, deps.clock.now());
    },
  })
  .step('draft', {
    title: 'Drafting it at the payment provider',
    do: async ({ outputs: { ask }, deps }) => {
      if (!ask.isNew || ask.collectionId === null) return { providerId: null };
      return { providerId: await draft(deps, await collection(deps.dataSource.manager, ask.collectionId)) };
    },
    commit: async (manager, { outputs: { ask }, deps }, { providerId }) => {
      if (providerId === null || ask.collectionId === null) return;
      const seen = await deps.provider.invoices.fetch(providerId);
      await noteCollection(manager, seenCollection(ask.collectionId, seen, deps.clock.now()));
    },
    undo: async ({ outputs: { ask }, deps }) => {
      if (!ask?.isNew || ask.collectionId === null) return { providerId: undefined };
      return {
        providerId: await takeBack(deps, await collection(deps.dataSource.manager, ask.collectionId)),
      };
    },
    undoTransact: async (manager, { outputs: { ask }, deps }, { providerId }) => {
      if (!ask?.isNew || ask.collectionId === null || providerId === undefined) return;
      await lookAtInvoice(manager, deps, providerId);
    },
  })
  .step('add-lines', {
    title: 'Writing its lines',
    do: async ({ outputs: { ask, draft }, deps }) => {
      if (draft.providerId === null || ask.collectionId === null) return {};
      await addLines(deps, await collection(deps.dataSource.manager, ask.collectionId), draft.providerId);
      return {};
    },
    noUndo: 'they go with the draft',
  })
  .step('finalize', {
    title: 'Issuing it',
    do: async ({ outputs: { ask, draft }, deps }) => {
      if (draft.providerId === null || ask.collectionId === null) return {};
      // The ladder of dunning says when a payment is tried again, and not two of them.
      const asked = { invoiceId: draft.providerId, retries: false };
      await deps.calls.make('finalize_invoice', ask.collectionId, asked, (call) =>
        deps.provider.invoices.finalize(call),
      );
      return {};
    },
    commit: async (manager, { outputs: { draft }, deps }) => {
      if (draft.providerId !== null) await lookAtInvoice(manager, deps, draft.providerId);
    },
    noUndo: 'it is voided when the draft is taken back',
  })
  .pointOfNoReturn('the customer is asked to pay')
  .step('collect', {
    title: 'Collecting it',
    do: async ({ outputs: { ask }, deps, sagaId }) => {
      if (ask.collectionId === null) return { providerId: null, declined: null };
      const asked = await collection(deps.dataSource.manager, ask.collectionId);
      if (asked.providerId === null || asked.status !== 'open')
        return { providerId: asked.providerId, declined: null };
      const declined = await collect(deps, asked, asked.providerId, { sagaId, isNew: ask.isNew });
      return { providerId: asked.providerId, declined };
    },
    commit: async (manager, { outputs: { ask }, deps }, { providerId, declined }) => {
      if (ask.collectionId === null || providerId === null) return;
      await lookAtInvoice(manager, deps, providerId);
      await noteAttempt(manager, deps, await collection(manager, ask.collectionId), declined);
    },
  })
  .build();

async function draft(
  { dataSource, cards, calls, provider }: CollectingDeps,
  asked: Collection,
): Promise<string> {
  const { id, accountId, currency, termsDays } = asked;
  const customerId = await cards.ensureCustomer(await accountOf(dataSource.manager, accountId));
  const reference = collectionReference(id);
  const collection =
    termsDays === null ? ({ by: 'card' } as const) : ({ by: 'terms', days: termsDays } as const);
  const made = await calls.make(
    'create_invoice',
    id,
    { accountId, customerId, currency: currency as Currency, reference, collection },
    (call) => provider.invoices.create(call),
    () => provider.invoices.find({ customerId, reference }),
  );
  return made.invoiceId;
}

async function addLines(
  { dataSource, calls, provider }: CollectingDeps,
  { parts, currency }: Collection,
  providerId: string,
): Promise<void> {
  const { customerId } = await provider.invoices.fetch(providerId);
  for (const part of parts) {
    const document = await invoice(dataSource.manager, part.invoiceId);
    const number = formatNumber(document);
    const isRest = part.amountMinor < document.totalMinor;
    const line = {
      invoiceId: providerId,
      customerId,
      amountMinor: part.amountMinor,
      currency: currency as Currency,
      description: `Invoice ${number}${isRest ? ', what remains of it' : ''}`,
      reference: number,
      from: document.periodFrom,
      to: document.periodUntil,
    };
    await calls.make(
      'add_invoice_line',
      part.callId,
      line,
      (call) => provider.invoices.addLine({ ...call, from: new Date(call.from), to: new Date(call.to) }),
      async () =>
        (await provider.invoices.listLines(providerId)).find(({ reference }) => reference === number),
    );
  }
}

/**
 * Charges the card, unless its money has gone back before, or sends it where it has terms.
 * @returns why there is nothing to charge; null otherwise
 */
async function collect(
  { dataSource, calls, provider }: CollectingDeps,
  asked: Collection,
  invoiceId: string,
  attempt: { readonly sagaId: number; readonly isNew: boolean },
): Promise<string | null> {
  const { id, termsDays } = asked;
  try {
    if (termsDays === null) {
      if (await isTakenBack(dataSource.manager, asked)) return null;
      await calls.make('pay_invoice', attempt.sagaId, { invoiceId }, (call) => provider.invoices.pay(call));
    } else if (attempt.isNew) {
      await calls.make('send_invoice', id, { invoiceId }, (call) => provider.invoices.send(call));
    }
    return null;
  } catch (error) {
    if (!(error instanceof PaymentError)) throw error;
    // It was paid or voided meanwhile: who looks at it sees that.
    if (error.code === 'invoice_not_open') return null;
    const isDecline = (DECLINE_CODES as readonly string[]).includes(error.code);
    if (isDecline) return error.code;
    throw error;
  }
}
