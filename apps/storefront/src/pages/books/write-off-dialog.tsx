import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { InvoiceDetailsWire } from '#libs/contracts';
import { writeOffInvoice } from '../../api/books.ts';
import { ConfirmDialog } from '../../components/dialogs.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { formatMinor } from '../../format.ts';

/** Gives up what is open of an invoice. */
export function WriteOffDialog({ invoice, close }: { invoice: InvoiceDetailsWire; close: () => void }) {
  const queryClient = useQueryClient();
  const open = formatMinor(invoice.open_minor, invoice.currency);
  const give = useMutation({
    mutationFn: () => writeOffInvoice(invoice.id),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: ['books'] });
      close();
    },
  });
  return (
    <ConfirmDialog
      open
      onOpenChange={close}
      title={`Write off ${open}?`}
      confirm="Write it off"
      look="danger"
      busy={give.isPending}
      onConfirm={() => give.mutate()}
    >
      {give.error && <ErrorPanel error={give.error} title="It was not written off" />}
      <p>
        {invoice.number} is not asked for any more, and {open} become a loss in the ledger. To settle it
        because it was wrong, give it back instead.
      </p>
    </ConfirmDialog>
  );
}
