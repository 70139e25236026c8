import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useId, useState } from 'react';
import type { CustomerDetailsWire } from '#libs/contracts';
import { customerQuery, updateCustomerAs } from '../../api/customers.ts';
import { Button } from '../../components/button.tsx';
import { Choice, ChoiceGroup } from '../../components/choice.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { TextField } from '../../components/text-field.tsx';

type Tier = CustomerDetailsWire['tier'];
type Paying = CustomerDetailsWire['paying'];

const TIERS: Readonly<Record<Tier, string>> = {
  new: 'New: little may stand open before it is invoiced',
  paid_once: 'Has paid once: more may stand open',
  trusted: 'Trusted: invoiced when the month ends, but for large amounts',
};
const PAYING: Readonly<Record<Paying, string>> = {
  card: 'Card: invoices are charged to it',
  prepaid: 'Prepaid: nothing new is made without credit',
  terms: 'Terms: invoices are sent, and paid within days',
};
const MOST_DAYS = 365;

/** How far an account is trusted and how it pays. */
export function CustomerForm({ customer }: { customer: CustomerDetailsWire }) {
  const queryClient = useQueryClient();
  const [tier, setTier] = useState<Tier>(customer.tier);
  const [paying, setPaying] = useState<Paying>(customer.paying);
  const [days, setDays] = useState(String(customer.terms_days ?? 14));
  const [tried, setTried] = useState(false);
  const isGood = paying !== 'terms' || (/^\d{1,3}$/.test(days) && +days >= 1 && +days <= MOST_DAYS);
  const save = useMutation({
    mutationFn: () =>
      updateCustomerAs(customer.id, {
        tier,
        paying: paying === 'terms' ? { by: paying, days: Number(days) } : { by: paying },
      }),
    onSuccess: async (saved) => {
      queryClient.setQueryData(customerQuery(customer.id).queryKey, saved);
      await queryClient.invalidateQueries({ queryKey: ['books', 'customers'] });
    },
  });

  function submit(event: FormEvent): void {
    event.preventDefault();
    setTried(true);
    if (isGood) save.mutate();
  }
  return (
    <form noValidate onSubmit={submit} className="grid gap-6">
      {save.error && <ErrorPanel error={save.error} title="It was not saved" />}
      <Choices title="Trust" names={TIERS} value={tier} onChange={setTier} />
      <Choices title="Pays by" names={PAYING} value={paying} onChange={setPaying} />
      {paying === 'terms' && (
        <TextField
          label="Days until an invoice is due"
          name="terms-days"
          inputMode="numeric"
          value={days}
          onValueChange={setDays}
          problem={tried && !isGood ? `Type a whole number from 1 to ${MOST_DAYS}.` : null}
          autoComplete="off"
        />
      )}
      <div className="flex items-center gap-3">
        <Button type="submit" busy={save.isPending}>
          Save
        </Button>
        <span role="status" className="text-sm text-good">
          {save.isSuccess && 'Saved'}
        </span>
      </div>
    </form>
  );
}

interface ChoicesProps<T extends string> {
  readonly title: string;
  readonly names: Readonly<Record<T, string>>;
  readonly value: T;
  readonly onChange: (value: T) => void;
}

function Choices<T extends string>({ title, names, value, onChange }: ChoicesProps<T>) {
  const titleId = useId();
  return (
    <div className="grid gap-2">
      <p id={titleId} className="text-sm font-[550]">
        {title}
      </p>
      <ChoiceGroup labelledBy={titleId} value={value} onChange={onChange}>
        {Object.entries<string>(names).map(([name, words]) => (
          <Choice key={name} value={name}>
            {words}
          </Choice>
        ))}
      </ChoiceGroup>
    </div>
  );
}
