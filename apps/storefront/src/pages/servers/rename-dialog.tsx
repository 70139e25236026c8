import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import type { ServerWire } from '#libs/contracts';
import { ApiError } from '../../api/client.ts';
import { updateServer } from '../../api/servers.ts';
import { Button } from '../../components/button.tsx';
import { FormDialog } from '../../components/dialogs.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { TextField } from '../../components/text-field.tsx';
import { serverNameProblem } from '../../server-name.ts';

export function RenameDialog({ server, close }: { server: ServerWire; close: () => void }) {
  const queryClient = useQueryClient();
  const [name, setName] = useState(server.name);
  const [tried, setTried] = useState(false);
  const rename = useMutation({
    mutationFn: () => updateServer(server.id, { name }),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: ['servers'] });
      close();
    },
  });
  const refused = renameRefusal(rename.error);

  function submit(event: FormEvent): void {
    event.preventDefault();
    setTried(true);
    if (name === server.name) close();
    else if (serverNameProblem(name) === null) rename.mutate();
  }
  return (
    <FormDialog open onOpenChange={close} title={`Rename ${server.name}`}>
      <form noValidate onSubmit={submit} className="grid gap-5">
        {rename.error && !refused && <ErrorPanel error={rename.error} title="It was not renamed" />}
        <TextField
          label="New name"
          name="server-name"
          hint="What it is called here and in the API. The host name inside the server stays as it is until it is rebuilt."
          value={name}
          onValueChange={(typed) => {
            setName(typed);
            rename.reset();
          }}
          problem={refused ?? (tried ? serverNameProblem(name) : null)}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          mono
        />
        <div className="flex justify-end gap-2">
          <Button look="secondary" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" busy={rename.isPending}>
            Rename
          </Button>
        </div>
      </form>
    </FormDialog>
  );
}

function renameRefusal(error: Error | null): string | undefined {
  if (!(error instanceof ApiError)) return undefined;
  if (error.code === 'uniqueness_error') return 'Another server of this project has this name.';
  return error.fields.name;
}
