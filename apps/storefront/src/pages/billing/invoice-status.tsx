import type { InvoiceWire } from '#libs/contracts';

const LOOK: Readonly<Record<InvoiceWire['status'], { readonly text: string; readonly look: string }>> = {
  paid: { text: 'Paid', look: 'bg-brand-tint text-good dark:text-brand' },
  open: { text: 'Open', look: 'bg-saffron-tint text-saffron-ink' },
  overdue: { text: 'Overdue', look: 'bg-bad-tint text-bad' },
};

export function InvoiceStatus({ status }: { status: InvoiceWire['status'] }) {
  const { text, look } = LOOK[status];
  return (
    <span className={`rounded-full px-2.5 py-1 text-xs font-[600] whitespace-nowrap ${look}`}>{text}</span>
  );
}
