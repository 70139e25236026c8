import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useRef, useState } from 'react';
import type { CustomerWire } from '#libs/contracts';
import { grantCredit } from '../../api/books.ts';
import { newIdempotencyKey } from '../../api/client.ts';
import { Button } from '../../components/button.tsx';
import { FormDialog } from '../../components/dialogs.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { TextField } from '../../components/text-field.tsx';
import { parseAmount } from '../../money.ts';

/** Gives a customer credit that nobody paid for. */
export function GrantCreditDialog({ customer, close }: { customer: CustomerWire; close: () => void }) {
  const queryClient = useQueryClient();
  const key = useRef(newIdempotencyKey());
  const [amount, setAmount] = useState('');
  const [note, setNote] = useState('');
  const [expires, setExpires] = useState('');
  const [tried, setTried] = useState(false);
  const amountMinor = parseAmount(amount);
  const isGood = amountMinor !== undefined && amountMinor > 0;
  const grant = useMutation({
    mutationFn: (minor: number) =>
      grantCredit(
        customer.id,
        { amount_minor: minor, note: note.trim(), ...(expires && { expires: `${expires}T00:00:00Z` }) },
        key.current,
      ),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: ['books'] });
      close();
    },
  });

  function submit(event: FormEvent): void {
    event.preventDefault();
    setTried(true);
    if (isGood && note.trim()) grant.mutate(amountMinor);
  }
  return (
    <FormDialog open onOpenChange={close} title={`Give credit to ${customer.email}`}>
      <form noValidate onSubmit={submit} className="grid gap-5">
        {grant.error && <ErrorPanel error={grant.error} title="It was not given" />}
        <TextField
          label={`Amount in ${customer.currency.toUpperCase()}`}
          name="grant"
          inputMode="decimal"
          value={amount}
          onValueChange={setAmount}
          problem={tried && !isGood ? 'Type an amount such as 10 or 9.90.' : null}
          autoComplete="off"
        />
        <TextField
          label="What for, for the customer"
          name="note"
          value={note}
          onValueChange={setNote}
          problem={tried && !note.trim() ? 'Say what it is for.' : null}
          autoComplete="off"
          maxLength={128}
        />
        <TextField
          label="Expires"
          name="expires"
          type="date"
          value={expires}
          onValueChange={setExpires}
          hint="What is left is taken back when that day begins, UTC. Empty: never."
        />
        <div className="flex justify-end gap-2">
          <Button look="secondary" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" busy={grant.isPending}>
            Give credit
          </Button>
        </div>
      </form>
    </FormDialog>
  );
}
