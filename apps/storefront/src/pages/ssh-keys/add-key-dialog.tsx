import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { createSshKey, sshKeysQuery } from '../../api/account.ts';
import { ApiError, newIdempotencyKey } from '../../api/client.ts';
import { Button } from '../../components/button.tsx';
import { FormDialog } from '../../components/dialogs.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { TextField } from '../../components/text-field.tsx';
import { publicKeyComment, publicKeyProblem } from '../../ssh-public-key.ts';

export function AddKeyDialog({ close }: { close: () => void }) {
  const queryClient = useQueryClient();
  const [name, setName] = useState('');
  const [publicKey, setPublicKey] = useState('');
  const [tried, setTried] = useState(false);
  const defaultName = publicKeyComment(publicKey) || 'My key';
  const create = useMutation({
    mutationFn: () =>
      createSshKey({ name: name.trim() || defaultName, public_key: publicKey.trim() }, newIdempotencyKey()),
    onSuccess: async () => {
      await queryClient.invalidateQueries(sshKeysQuery);
      close();
    },
  });
  const refused = create.error instanceof ApiError ? create.error.fields.public_key : undefined;

  function submit(event: FormEvent): void {
    event.preventDefault();
    setTried(true);
    if (publicKeyProblem(publicKey) === null) create.mutate();
  }
  return (
    <FormDialog open onOpenChange={close} title="Add an SSH key">
      <form noValidate onSubmit={submit} className="grid gap-5">
        {create.error && !refused && <ErrorPanel error={create.error} />}
        <TextField
          label="Public key"
          name="public-key"
          hint={
            <>
              The one line of <code className="font-mono">~/.ssh/id_ed25519.pub</code>.
            </>
          }
          placeholder="ssh-ed25519 AAAA… you@computer"
          value={publicKey}
          onValueChange={setPublicKey}
          problem={refused ?? (tried ? publicKeyProblem(publicKey) : null)}
          spellCheck={false}
          autoComplete="off"
          multiline
          mono
        />
        <TextField
          label="Name"
          name="key-name"
          placeholder={defaultName}
          value={name}
          onValueChange={setName}
          autoComplete="off"
          maxLength={128}
        />
        <div className="flex justify-end gap-2">
          <Button look="secondary" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" busy={create.isPending}>
            Add key
          </Button>
        </div>
      </form>
    </FormDialog>
  );
}
