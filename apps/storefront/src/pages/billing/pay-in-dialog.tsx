import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { openTopUp } from '../../api/billing.ts';
import { newIdempotencyKey } from '../../api/client.ts';
import { Button } from '../../components/button.tsx';
import { FormDialog } from '../../components/dialogs.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { TextField } from '../../components/text-field.tsx';
import { amountText, parseAmount } from '../../money.ts';

const LEAST_MINOR = 500;
const MOST_MINOR = 1_000_000;

/** Leaves for the payment provider's page, on which credit is paid in. */
export function PayInDialog({ close }: { close: () => void }) {
  const [amount, setAmount] = useState('50');
  const [tried, setTried] = useState(false);
  const leave = useMutation({
    mutationFn: (amountMinor: number) => openTopUp(amountMinor, newIdempotencyKey()),
    onSuccess: (url) => location.assign(url),
  });
  const amountMinor = parseAmount(amount);
  const isGood = amountMinor !== undefined && amountMinor >= LEAST_MINOR && amountMinor <= MOST_MINOR;

  function submit(event: FormEvent): void {
    event.preventDefault();
    setTried(true);
    if (isGood) leave.mutate(amountMinor);
  }
  return (
    <FormDialog open onOpenChange={close} title="Pay in">
      <form noValidate onSubmit={submit} className="grid gap-5">
        {leave.error && <ErrorPanel error={leave.error} title="The payment page could not be opened" />}
        <TextField
          label="Amount"
          name="top-up"
          hint="You pay on the page of our payment provider. What you pay in does not expire."
          inputMode="decimal"
          value={amount}
          onValueChange={setAmount}
          problem={
            tried && !isGood
              ? `Type an amount from ${amountText(LEAST_MINOR)} to ${amountText(MOST_MINOR)}.`
              : null
          }
          autoComplete="off"
        />
        <div className="flex justify-end gap-2">
          <Button look="secondary" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" busy={leave.isPending || leave.isSuccess}>
            Go to payment
          </Button>
        </div>
      </form>
    </FormDialog>
  );
}
