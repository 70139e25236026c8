import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useRef, useState } from 'react';
import type { BookedPriceWire } from '#libs/contracts';
import { changePrice, pricesQuery } from '../../api/books.ts';
import { newIdempotencyKey } from '../../api/client.ts';
import { Button } from '../../components/button.tsx';
import { FormDialog } from '../../components/dialogs.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { TextField } from '../../components/text-field.tsx';
import { formatHourly } from '../../format.ts';

const HOURLY = /^\d{1,6}([.,]\d{1,8})?$/;

/** A new version of a price, from now or from a later day on. */
export function ChangePriceDialog(props: { price: BookedPriceWire; currency: string; close: () => void }) {
  const { price, currency, close } = props;
  const queryClient = useQueryClient();
  const key = useRef(newIdempotencyKey());
  const [hourly, setHourly] = useState(price.hourly.replace(/\.?0{1,8}$/, ''));
  const [from, setFrom] = useState('');
  const [tried, setTried] = useState(false);
  const isGood = HOURLY.test(hourly.trim());
  const change = useMutation({
    mutationFn: () =>
      changePrice(
        {
          item: price.item,
          hourly: hourly.trim().replace(',', '.'),
          ...(from && { effective_from: `${from}T00:00:00Z` }),
        },
        key.current,
      ),
    onSuccess: (book) => {
      queryClient.setQueryData(pricesQuery.queryKey, book);
      close();
    },
  });

  function submit(event: FormEvent): void {
    event.preventDefault();
    setTried(true);
    if (isGood) change.mutate();
  }
  return (
    <FormDialog open onOpenChange={close} title={`Change the price of ${price.item}`}>
      <form noValidate onSubmit={submit} className="grid gap-5">
        {change.error && <ErrorPanel error={change.error} title="The price was not changed" />}
        <p className="text-soft">
          It is {formatHourly(price.hourly, currency)} now. What was used before the change keeps its price.
        </p>
        <TextField
          label={`By the hour, in ${currency.toUpperCase()}`}
          name="hourly"
          inputMode="decimal"
          value={hourly}
          onValueChange={setHourly}
          problem={tried && !isGood ? 'Type an amount such as 0.00625, with 8 decimals at most.' : null}
          autoComplete="off"
        />
        <TextField
          label="From"
          name="from"
          type="date"
          value={from}
          onValueChange={setFrom}
          hint="Midnight, UTC. Empty: at once."
        />
        <div className="flex justify-end gap-2">
          <Button look="secondary" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" busy={change.isPending}>
            Change the price
          </Button>
        </div>
      </form>
    </FormDialog>
  );
}
