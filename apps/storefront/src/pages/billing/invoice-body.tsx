import { Download, ExternalLink } from 'lucide-react';
import type { ReactNode } from 'react';
import type { InvoiceDetailsWire } from '#libs/contracts';
import { buttonClass } from '../../components/button.tsx';
import { Docket, DocketLine, DocketRule } from '../../components/docket.tsx';
import { Notice } from '../../components/notice.tsx';
import { Panel, Section } from '../../components/section.tsx';
import { formatDay, formatMinor } from '../../format.ts';
import { InvoiceStatus } from './invoice-status.tsx';

const SETTLED: Readonly<Record<InvoiceDetailsWire['settlements'][number]['kind'], string>> = {
  credit: 'Paid from credit',
  payment: 'Paid',
  credit_note: 'Credit note',
  write_off: 'Given up',
  dispute: 'Taken back by the bank',
};

/** The invoice at the payment provider, once it is there. */
export function InvoiceActions({ invoice: { collection } }: { invoice: InvoiceDetailsWire }) {
  if (!collection) return null;
  const isOpen = collection.status === 'open';
  return (
    <div className="flex flex-wrap gap-2">
      {collection.pdf_url && (
        <a href={collection.pdf_url} className={buttonClass('secondary')}>
          <Download aria-hidden="true" className="size-4" /> PDF
        </a>
      )}
      {collection.hosted_url && (
        <a href={collection.hosted_url} className={buttonClass(isOpen ? 'primary' : 'secondary')}>
          <ExternalLink aria-hidden="true" className="size-4" /> {isOpen ? 'Pay' : 'Receipt'}
        </a>
      )}
    </div>
  );
}

/** All that stands on an invoice; `children` are its lines. */
export function InvoiceBody({ invoice, children }: { invoice: InvoiceDetailsWire; children: ReactNode }) {
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-10">
      <CollectionNotice invoice={invoice} />
      <div className="grid grid-cols-[minmax(0,1fr)] gap-6 lg:grid-cols-[minmax(0,1fr)_24rem]">
        <Parties invoice={invoice} />
        <Totals invoice={invoice} />
      </div>
      <Section title="Lines">{children}</Section>
    </div>
  );
}

function CollectionNotice({ invoice: { collection, open_minor: open } }: { invoice: InvoiceDetailsWire }) {
  if (!collection || open === 0) return null;
  if (collection.action_url)
    return (
      <Notice
        tone="warning"
        title="Your bank wants you to confirm this payment"
        actions={
          <a href={collection.action_url} className={buttonClass('primary', 'small')}>
            Confirm
          </a>
        }
      />
    );
  if (!collection.failure) return null;
  return (
    <Notice tone="bad" title="The last attempt to pay failed">
      The bank said “{collection.failure.replaceAll('_', ' ')}”.
      {collection.next_attempt && ` It is tried again on ${formatDay(collection.next_attempt)}.`}
    </Notice>
  );
}

function Parties({ invoice }: { invoice: InvoiceDetailsWire }) {
  return (
    <Panel className="grid content-start gap-6 sm:grid-cols-2">
      <Party title="Invoiced to" party={invoice.customer} />
      <Party title="By" party={invoice.seller} />
      <dl className="grid gap-1 text-[0.9375rem] sm:col-span-2">
        <Fact name="Issued">{formatDay(invoice.issued)}</Fact>
        <Fact name="Due">{formatDay(invoice.due)}</Fact>
        <Fact name="Status">
          <InvoiceStatus status={invoice.status} />
        </Fact>
      </dl>
    </Panel>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="flex gap-3">
      <dt className="w-20 text-soft">{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Party({ title, party }: { title: string; party: InvoiceDetailsWire['customer'] }) {
  const { name, address, country, vat_id: vatId } = party;
  return (
    <div className="text-[0.9375rem]">
      <h2 className="mb-2 text-sm font-medium text-soft">{title}</h2>
      <p className="font-[600]">{name ?? '–'}</p>
      <p className="whitespace-pre-line">{[address, country].filter(Boolean).join('\n')}</p>
      {vatId && <p className="text-soft">VAT id {vatId}</p>}
    </div>
  );
}

function Totals({ invoice }: { invoice: InvoiceDetailsWire }) {
  const { currency, tax, settlements } = invoice;
  const refunds = invoice.credit_notes.filter((note) => note.refund_minor > 0);
  const money = (amountMinor: number) => formatMinor(amountMinor, currency);
  return (
    <Docket>
      <dl>
        <DocketLine label="Net">{money(invoice.net_minor)}</DocketLine>
        <DocketLine label={taxName(tax)}>{money(tax.amount_minor)}</DocketLine>
      </dl>
      <DocketRule />
      <dl>
        <DocketLine label="Total" strong>
          {money(invoice.total_minor)}
        </DocketLine>
        {settlements.map(({ kind, at, amount_minor: amount }) => (
          <DocketLine key={`${kind} ${at} ${amount}`} label={`${SETTLED[kind]}, ${formatDay(at)}`}>
            {money(-amount)}
          </DocketLine>
        ))}
      </dl>
      <DocketRule />
      <dl>
        <DocketLine label="To pay" strong>
          {money(invoice.open_minor)}
        </DocketLine>
        {refunds.map((note) => (
          <DocketLine key={note.id} label={`${note.number}, given back to ${note.refund_to}`}>
            <span className="whitespace-nowrap">{money(note.refund_minor)}</span>
          </DocketLine>
        ))}
      </dl>
      {tax.treatment === 'reverse_charge' && (
        <p className="mt-2 text-sm text-soft">Reverse charge: the recipient owes the tax.</p>
      )}
    </Docket>
  );
}

function taxName({ treatment, percent, country }: InvoiceDetailsWire['tax']): string {
  if (treatment === 'standard') return `Tax ${percent} % (${country})`;
  return treatment === 'reverse_charge' ? 'Tax, reverse charge' : 'Tax';
}
