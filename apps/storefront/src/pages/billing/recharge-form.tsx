import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import type { RechargeWire } from '#libs/contracts';
import { rechargeQuery, saveRecharge } from '../../api/billing.ts';
import { Button } from '../../components/button.tsx';
import { CheckBox } from '../../components/check-box.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { TextField } from '../../components/text-field.tsx';
import { amountText, parseAmount } from '../../money.ts';

const LEAST_MINOR = 500;
const MOST_MINOR = 1_000_000;

/** Whether credit that runs low is recharged from the card, when and by how much. */
export function RechargeForm({ recharge, currency }: { recharge: RechargeWire | null; currency: string }) {
  const queryClient = useQueryClient();
  const [isOn, setOn] = useState(recharge !== null);
  const [below, setBelow] = useState(amountText(recharge?.below_minor ?? 1000));
  const [amount, setAmount] = useState(amountText(recharge?.amount_minor ?? 5000));
  const [tried, setTried] = useState(false);
  const save = useMutation({
    mutationFn: saveRecharge,
    onSuccess: (saved) => queryClient.setQueryData(rechargeQuery.queryKey, saved),
  });
  const belowMinor = within(parseAmount(below), 1);
  const amountMinor = within(parseAmount(amount), LEAST_MINOR);

  function submit(event: FormEvent): void {
    event.preventDefault();
    setTried(true);
    if (!isOn) save.mutate(null);
    else if (belowMinor && amountMinor) save.mutate({ below_minor: belowMinor, amount_minor: amountMinor });
  }
  return (
    <form noValidate onSubmit={submit} className="grid gap-5">
      {save.error && <ErrorPanel error={save.error} title="It was not saved" />}
      <CheckBox label="Recharge my credit from my card when it runs low" checked={isOn} onChange={setOn} />
      {isOn && (
        <div className="grid gap-5 sm:grid-cols-2">
          <TextField
            label={`When it falls below, in ${currency.toUpperCase()}`}
            name="recharge-below"
            inputMode="decimal"
            value={below}
            onValueChange={setBelow}
            problem={tried && !belowMinor ? 'Type an amount above 0.' : null}
            autoComplete="off"
          />
          <TextField
            label={`By, in ${currency.toUpperCase()}`}
            name="recharge-amount"
            inputMode="decimal"
            value={amount}
            onValueChange={setAmount}
            problem={tried && !amountMinor ? `Type an amount from ${amountText(LEAST_MINOR)} on.` : null}
            autoComplete="off"
          />
        </div>
      )}
      <div className="flex items-center gap-3">
        <Button type="submit" busy={save.isPending}>
          Save recharging
        </Button>
        <span role="status" className="text-sm text-good">
          {save.isSuccess && 'Saved'}
        </span>
      </div>
    </form>
  );
}

function within(amountMinor: number | undefined, least: number): number | undefined {
  return amountMinor !== undefined && amountMinor >= least && amountMinor <= MOST_MINOR
    ? amountMinor
    : undefined;
}
