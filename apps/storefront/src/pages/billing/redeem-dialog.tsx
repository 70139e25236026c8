import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { redeemCode } from '../../api/billing.ts';
import { ApiError, newIdempotencyKey } from '../../api/client.ts';
import { Button } from '../../components/button.tsx';
import { FormDialog } from '../../components/dialogs.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { TextField } from '../../components/text-field.tsx';

/** Turns a promotion code into credit. */
export function RedeemDialog({ close }: { close: () => void }) {
  const queryClient = useQueryClient();
  const [code, setCode] = useState('');
  const [tried, setTried] = useState(false);
  const redeem = useMutation({
    mutationFn: () => redeemCode(code.trim(), newIdempotencyKey()),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: ['billing'] });
      close();
    },
  });
  const refused = redeem.error instanceof ApiError && redeem.error.status < 500 ? redeem.error : undefined;

  function submit(event: FormEvent): void {
    event.preventDefault();
    setTried(true);
    if (code.trim()) redeem.mutate();
  }
  return (
    <FormDialog open onOpenChange={close} title="Redeem a code">
      <form noValidate onSubmit={submit} className="grid gap-5">
        {redeem.error && !refused && <ErrorPanel error={redeem.error} title="It was not redeemed" />}
        <TextField
          label="Code"
          name="promotion-code"
          mono
          value={code}
          onValueChange={(typed) => {
            setCode(typed);
            redeem.reset();
          }}
          problem={problemOf(refused) ?? (tried && !code.trim() ? 'Type the code.' : null)}
          autoComplete="off"
          maxLength={40}
        />
        <div className="flex justify-end gap-2">
          <Button look="secondary" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" busy={redeem.isPending}>
            Redeem
          </Button>
        </div>
      </form>
    </FormDialog>
  );
}

function problemOf(refused: ApiError | undefined): string | undefined {
  if (!refused) return undefined;
  if (refused.status === 404) return 'There is no such code.';
  if (refused.fields.code) return 'A code has letters, digits and dashes.';
  return refused.status === 409 ? 'This code was redeemed before, or has ended.' : refused.message;
}
