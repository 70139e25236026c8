import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useRef, useState } from 'react';
import { ApiError, newIdempotencyKey } from '../../api/client.ts';
import { makePromotion } from '../../api/customers.ts';
import { Button } from '../../components/button.tsx';
import { FormDialog } from '../../components/dialogs.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { TextField } from '../../components/text-field.tsx';
import { parseAmount } from '../../money.ts';

const CODE = /^[A-Z0-9-]{3,40}$/;
/** A number of a field that may be left empty; NaN is what is none. */
const optional = (text: string) =>
  text.trim() === '' ? undefined : /^\d{1,7}$/.test(text) ? +text : Number.NaN;
const isGoodCount = (count: number | undefined) => count === undefined || count >= 1;

/** Makes a code: what it gives, until when, for how many, and how long the credit lasts. */
export function PromotionDialog({ close }: { close: () => void }) {
  const queryClient = useQueryClient();
  const key = useRef(newIdempotencyKey());
  const [fields, setFields] = useState({ code: '', amount: '', note: '', until: '', days: '', accounts: '' });
  const [tried, setTried] = useState(false);
  const set = (name: keyof typeof fields) => (value: string) => setFields({ ...fields, [name]: value });
  const code = fields.code.trim().toUpperCase();
  const amountMinor = parseAmount(fields.amount);
  const [validDays, redemptions] = [optional(fields.days), optional(fields.accounts)];
  const problems = {
    code: CODE.test(code) ? null : '3 to 40 letters, digits and dashes.',
    amount: amountMinor ? null : 'Type an amount such as 10 or 9.90.',
    note: fields.note.trim() ? null : 'Say what it is for.',
    days: isGoodCount(validDays) ? null : 'Type a whole number of days, or nothing.',
    accounts: isGoodCount(redemptions) ? null : 'Type a whole number, or nothing.',
  };
  const make = useMutation({
    mutationFn: () =>
      makePromotion(
        {
          code,
          amount_minor: amountMinor ?? 0,
          note: fields.note.trim(),
          ...(fields.until && { redeem_until: `${fields.until}T00:00:00Z` }),
          ...(validDays !== undefined && { valid_days: validDays }),
          ...(redemptions !== undefined && { redemptions }),
        },
        key.current,
      ),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: ['books', 'promotions'] });
      close();
    },
  });
  const isTaken = make.error instanceof ApiError && make.error.status === 409;
  const problem = (name: keyof typeof problems) => (tried ? problems[name] : null);

  function submit(event: FormEvent): void {
    event.preventDefault();
    setTried(true);
    if (Object.values(problems).every((one) => one === null)) make.mutate();
  }
  return (
    <FormDialog open onOpenChange={close} title="Make a code">
      <form noValidate onSubmit={submit} className="grid gap-5">
        {make.error && !isTaken && <ErrorPanel error={make.error} title="It was not made" />}
        <TextField
          label="Code"
          name="code"
          mono
          value={fields.code}
          onValueChange={set('code')}
          problem={isTaken ? 'There is such a code already.' : problem('code')}
          autoComplete="off"
          maxLength={40}
        />
        <TextField
          label="Credit for each account"
          name="amount"
          inputMode="decimal"
          value={fields.amount}
          onValueChange={set('amount')}
          problem={problem('amount')}
          autoComplete="off"
        />
        <TextField
          label="What for, for the customer"
          name="note"
          value={fields.note}
          onValueChange={set('note')}
          problem={problem('note')}
          autoComplete="off"
          maxLength={128}
        />
        <TextField
          label="Redeemed before"
          name="until"
          type="date"
          value={fields.until}
          onValueChange={set('until')}
          hint="Midnight, UTC. Empty: until it is ended."
        />
        <div className="grid gap-5 sm:grid-cols-2">
          <TextField
            label="Accounts at most"
            name="accounts"
            hint="Empty: any number."
            inputMode="numeric"
            value={fields.accounts}
            onValueChange={set('accounts')}
            problem={problem('accounts')}
            autoComplete="off"
          />
          <TextField
            label="Days that the credit lasts"
            name="days"
            hint="Empty: for ever."
            inputMode="numeric"
            value={fields.days}
            onValueChange={set('days')}
            problem={problem('days')}
            autoComplete="off"
          />
        </div>
        <div className="flex justify-end gap-2">
          <Button look="secondary" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" busy={make.isPending}>
            Make the code
          </Button>
        </div>
      </form>
    </FormDialog>
  );
}
