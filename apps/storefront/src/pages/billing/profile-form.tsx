import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import type { BillingProfileWire } from '#libs/contracts';
import { billingProfileQuery, saveBillingProfile } from '../../api/billing.ts';
import { ApiError } from '../../api/client.ts';
import { Button } from '../../components/button.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { TextField } from '../../components/text-field.tsx';

const REQUIRED = { name: 'Say whom to invoice.', address: 'Type the address.', country: 'Type two letters.' };

export function ProfileForm({ profile }: { profile: BillingProfileWire | null }) {
  const queryClient = useQueryClient();
  const [form, setForm] = useState({
    name: profile?.name ?? '',
    address: profile?.address ?? '',
    country: profile?.country ?? '',
    vat_id: profile?.vat_id ?? '',
  });
  const [tried, setTried] = useState(false);
  const save = useMutation({
    mutationFn: () => saveBillingProfile(form),
    onSuccess: (saved) => queryClient.setQueryData(billingProfileQuery.queryKey, saved),
  });
  const refused: ApiError['fields'] = save.error instanceof ApiError ? save.error.fields : {};
  const isNamed = Object.keys(refused).length > 0;

  const field = (name: keyof typeof form) => ({
    name: `billing-${name}`,
    value: form[name],
    onValueChange: (typed: string) => {
      setForm({ ...form, [name]: typed });
      save.reset();
    },
    problem: refused[name] ?? (tried && name !== 'vat_id' && !form[name].trim() ? REQUIRED[name] : null),
  });

  function submit(event: FormEvent): void {
    event.preventDefault();
    setTried(true);
    if (form.name.trim() && form.address.trim() && form.country.trim()) save.mutate();
  }
  return (
    <form noValidate onSubmit={submit} className="grid gap-5">
      {save.error && !isNamed && <ErrorPanel error={save.error} title="It was not saved" />}
      <TextField label="Name or company" autoComplete="organization" maxLength={128} {...field('name')} />
      <TextField label="Address" multiline autoComplete="street-address" {...field('address')} />
      <TextField
        label="Country"
        hint="Two letters, such as DE."
        autoComplete="country"
        maxLength={2}
        {...field('country')}
      />
      <TextField
        label="VAT id"
        hint="For businesses in the European Union; leave it empty otherwise."
        autoComplete="off"
        maxLength={20}
        {...field('vat_id')}
      />
      <div className="flex items-center gap-3">
        <Button type="submit" busy={save.isPending}>
          Save address
        </Button>
        <span role="status" className="text-sm text-good">
          {save.isSuccess && 'Saved'}
        </span>
      </div>
    </form>
  );
}
