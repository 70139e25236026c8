import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import type { LimitsWire } from '#libs/contracts';
import { limitsQuery, saveLimit } from '../../api/billing.ts';
import { Button } from '../../components/button.tsx';
import { CheckBox } from '../../components/check-box.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { TextField } from '../../components/text-field.tsx';
import { amountText, parseAmount } from '../../money.ts';
import { LimitMeter } from './limit-meter.tsx';

const MARKS = [50, 80, 100] as const;
type Mark = (typeof MARKS)[number];

export function LimitForm({ limits }: { limits: LimitsWire }) {
  const queryClient = useQueryClient();
  const { spending, currency } = limits;
  const [amount, setAmount] = useState(spending ? amountText(spending.amount_minor) : '');
  const [marks, setMarks] = useState<readonly Mark[]>(spending?.alert_percents ?? MARKS);
  const [isHard, setHard] = useState(spending?.is_hard ?? false);
  const [tried, setTried] = useState(false);
  const save = useMutation({
    mutationFn: saveLimit,
    onSuccess: (saved) => queryClient.setQueryData(limitsQuery.queryKey, saved),
  });
  const amountMinor = parseAmount(amount);
  const isEmpty = amount.trim() === '';
  const isGood = amountMinor !== undefined && amountMinor > 0;

  function submit(event: FormEvent): void {
    event.preventDefault();
    setTried(true);
    if (isEmpty) save.mutate(null);
    else if (isGood) save.mutate({ amount_minor: amountMinor, is_hard: isHard, alert_percents: [...marks] });
  }
  return (
    <form noValidate onSubmit={submit} className="grid gap-5">
      {save.error && <ErrorPanel error={save.error} title="It was not saved" />}
      {spending && <LimitMeter limits={limits} />}
      <TextField
        label={`Limit in ${currency.toUpperCase()}`}
        name="spending-limit"
        hint="Leave it empty for no limit."
        inputMode="decimal"
        value={amount}
        onValueChange={(typed) => {
          setAmount(typed);
          save.reset();
        }}
        problem={tried && !isEmpty && !isGood ? 'Type an amount such as 50 or 49.90.' : null}
        autoComplete="off"
      />
      <fieldset className="grid gap-2">
        <legend className="mb-1.5 text-sm font-[550]">Mail me once a month when it is reached by</legend>
        <div className="flex flex-wrap gap-x-6 gap-y-2">
          {MARKS.map((mark) => (
            <CheckBox
              key={mark}
              label={`${mark} %`}
              checked={marks.includes(mark)}
              onChange={(on) => setMarks(MARKS.filter((one) => (one === mark ? on : marks.includes(one))))}
            />
          ))}
        </div>
      </fieldset>
      <CheckBox label="Refuse new orders when it is reached" checked={isHard} onChange={setHard} />
      <div className="flex items-center gap-3">
        <Button type="submit" busy={save.isPending}>
          Save limit
        </Button>
        <span role="status" className="text-sm text-good">
          {save.isSuccess && 'Saved'}
        </span>
      </div>
    </form>
  );
}
