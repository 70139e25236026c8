import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import type { TokenAccess } from '#libs/contracts';
import { apiTokensQuery, createApiToken } from '../../api/account.ts';
import { ApiError, newIdempotencyKey } from '../../api/client.ts';
import { Button } from '../../components/button.tsx';
import { CheckBox } from '../../components/check-box.tsx';
import { Choice, ChoiceGroup } from '../../components/choice.tsx';
import { CopyLine } from '../../components/copy-button.tsx';
import { FormDialog } from '../../components/dialogs.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Notice } from '../../components/notice.tsx';
import { TextField } from '../../components/text-field.tsx';

/** Creates a token and shows it, once; closing the dialog forgets it. */
export function CreateTokenDialog({ close }: { close: () => void }) {
  const queryClient = useQueryClient();
  const [name, setName] = useState('');
  const [access, setAccess] = useState<TokenAccess>('read_write');
  const [seesMoney, setSeesMoney] = useState(false);
  const create = useMutation({
    mutationFn: () =>
      createApiToken({ name: name.trim(), access, sees_money: seesMoney }, newIdempotencyKey()),
    onSuccess: () => queryClient.invalidateQueries(apiTokensQuery),
    gcTime: 0,
  });
  if (create.data) return <TokenShown token={create.data.token} close={close} />;

  function submit(event: FormEvent): void {
    event.preventDefault();
    if (name.trim()) create.mutate();
  }
  const problem = create.error instanceof ApiError ? create.error.fields.name : undefined;
  return (
    <FormDialog open onOpenChange={close} title="Create an API token">
      <form onSubmit={submit} className="grid gap-5">
        {create.error && !problem && <ErrorPanel error={create.error} />}
        <TextField
          label="Name"
          name="token-name"
          hint="What will use it? You see this name when you revoke it."
          placeholder="Terraform on my laptop"
          value={name}
          onValueChange={setName}
          problem={problem}
          autoComplete="off"
          maxLength={128}
          required
        />
        <div>
          <p id="token-access" className="mb-2 text-sm font-[550]">
            What may it do?
          </p>
          <ChoiceGroup
            labelledBy="token-access"
            value={access}
            onChange={setAccess}
            className="grid gap-2 sm:grid-cols-2"
          >
            <Choice value="read_write">
              <span className="block font-[600]">Read and write</span>
              <span className="block text-sm text-soft">order, change, delete</span>
            </Choice>
            <Choice value="read">
              <span className="block font-[600]">Read</span>
              <span className="block text-sm text-soft">look, touch nothing</span>
            </Choice>
          </ChoiceGroup>
        </div>
        <CheckBox
          label="It may also see invoices, usage and balance of the whole account"
          checked={seesMoney}
          onChange={setSeesMoney}
        />
        <div className="flex justify-end gap-2">
          <Button look="secondary" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" busy={create.isPending} disabled={!name.trim()}>
            Create
          </Button>
        </div>
      </form>
    </FormDialog>
  );
}

function TokenShown({ token, close }: { token: string; close: () => void }) {
  return (
    <FormDialog open onOpenChange={close} title="Your new token">
      <Notice tone="warning" title="Copy it now">
        It is shown this once. We keep only a fingerprint of it.
      </Notice>
      <CopyLine label="token" text={token} />
      <p className="text-sm text-soft">Use it with the hcloud command:</p>
      <CopyLine label="endpoint" text={`export HCLOUD_ENDPOINT=${location.origin}/v1`} />
      <div className="flex justify-end">
        <Button onClick={close}>I have saved it</Button>
      </div>
    </FormDialog>
  );
}
