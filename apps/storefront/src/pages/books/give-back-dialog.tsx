import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useId, useRef, useState } from 'react';
import type { InvoiceDetailsWire } from '#libs/contracts';
import { giveBack } from '../../api/books.ts';
import { newIdempotencyKey } from '../../api/client.ts';
import { Button } from '../../components/button.tsx';
import { Choice, ChoiceGroup } from '../../components/choice.tsx';
import { FormDialog } from '../../components/dialogs.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { TextField } from '../../components/text-field.tsx';
import { formatMinor } from '../../format.ts';
import { amountText, parseAmount } from '../../money.ts';

/** Gives back an invoice or a part of it: what is open is settled first, the rest goes to card or credit. */
export function GiveBackDialog({ invoice, close }: { invoice: InvoiceDetailsWire; close: () => void }) {
  const queryClient = useQueryClient();
  const choiceId = useId();
  // One intention, however often it is sent.
  const key = useRef(newIdempotencyKey());
  const left = invoice.total_minor - invoice.credit_notes.reduce((sum, note) => sum + note.total_minor, 0);
  const [amount, setAmount] = useState(amountText(left));
  const [refundTo, setRefundTo] = useState<'card' | 'credit'>('credit');
  const [reason, setReason] = useState('');
  const [tried, setTried] = useState(false);
  const amountMinor = parseAmount(amount);
  const isGood = amountMinor !== undefined && amountMinor > 0 && amountMinor <= left;
  const give = useMutation({
    mutationFn: (minor: number) =>
      giveBack(invoice.id, { amount_minor: minor, refund_to: refundTo, reason: reason.trim() }, key.current),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: ['books'] });
      close();
    },
  });

  function submit(event: FormEvent): void {
    event.preventDefault();
    setTried(true);
    if (isGood && reason.trim()) give.mutate(amountMinor);
  }
  return (
    <FormDialog open onOpenChange={close} title={`Give back of ${invoice.number}`}>
      <form noValidate onSubmit={submit} className="grid gap-5">
        {give.error && <ErrorPanel error={give.error} title="Nothing was given back" />}
        <TextField
          label="Amount, tax included"
          name="give-back"
          hint={`${formatMinor(left, invoice.currency)} are left of it.`}
          inputMode="decimal"
          value={amount}
          onValueChange={setAmount}
          problem={tried && !isGood ? `Type an amount up to ${amountText(left)}.` : null}
          autoComplete="off"
        />
        <div className="grid gap-2">
          <p id={choiceId} className="text-sm font-[550]">
            What was paid of it goes to
          </p>
          <ChoiceGroup labelledBy={choiceId} value={refundTo} onChange={setRefundTo}>
            <Choice value="credit">The customer's credit</Choice>
            <Choice value="card">The card that paid it</Choice>
          </ChoiceGroup>
        </div>
        <TextField
          label="Reason, for the customer"
          name="reason"
          value={reason}
          onValueChange={setReason}
          problem={tried && !reason.trim() ? 'Say why.' : null}
          autoComplete="off"
          maxLength={128}
        />
        <div className="flex justify-end gap-2">
          <Button look="secondary" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" busy={give.isPending}>
            Give back
          </Button>
        </div>
      </form>
    </FormDialog>
  );
}
