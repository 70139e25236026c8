import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { accountQuery, createProject } from '../../api/account.ts';
import { ApiError, newIdempotencyKey } from '../../api/client.ts';
import { Button } from '../../components/button.tsx';
import { FormDialog } from '../../components/dialogs.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { TextField } from '../../components/text-field.tsx';
import { useProjectChange } from '../../use-project-change.ts';

/** Makes a project and goes on working in it. */
export function CreateProjectDialog({ close }: { close: () => void }) {
  const queryClient = useQueryClient();
  const change = useProjectChange();
  const [name, setName] = useState('');
  const [tried, setTried] = useState(false);
  const create = useMutation({
    mutationFn: () => createProject(name.trim(), newIdempotencyKey()),
    onSuccess: async ({ id }) => {
      await queryClient.fetchQuery({ ...accountQuery, staleTime: 0 });
      await change(id);
      close();
    },
  });
  const refused = createRefusal(create.error);

  function submit(event: FormEvent): void {
    event.preventDefault();
    setTried(true);
    if (name.trim()) create.mutate();
  }
  return (
    <FormDialog open onOpenChange={close} title="New project">
      <form noValidate onSubmit={submit} className="grid gap-5">
        {create.error && !refused && <ErrorPanel error={create.error} title="It was not made" />}
        <TextField
          label="Name"
          name="project-name"
          hint="For a customer, a team or a purpose. Limits and cards are those of your account."
          placeholder="Staging"
          value={name}
          onValueChange={(typed) => {
            setName(typed);
            create.reset();
          }}
          problem={refused ?? (tried && !name.trim() ? 'Give the project a name.' : null)}
          autoComplete="off"
          maxLength={128}
        />
        <div className="flex justify-end gap-2">
          <Button look="secondary" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" busy={create.isPending}>
            Make project
          </Button>
        </div>
      </form>
    </FormDialog>
  );
}

function createRefusal(error: Error | null): string | undefined {
  if (!(error instanceof ApiError)) return undefined;
  if (error.code === 'uniqueness_error') return 'You have a project of this name already.';
  return error.fields.name;
}
