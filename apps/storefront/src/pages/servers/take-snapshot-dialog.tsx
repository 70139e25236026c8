import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import type { ServerWire } from '#libs/contracts';
import { takeSnapshot } from '../../api/images.ts';
import { Button } from '../../components/button.tsx';
import { CheckBox } from '../../components/check-box.tsx';
import { FormDialog } from '../../components/dialogs.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { TextField } from '../../components/text-field.tsx';

const LONGEST = 255;

export function TakeSnapshotDialog({ server, close }: { server: ServerWire; close: () => void }) {
  const queryClient = useQueryClient();
  const [description, setDescription] = useState('');
  const [withMemory, setWithMemory] = useState(false);
  const isRunning = server.status === 'running';
  const take = useMutation({
    mutationFn: () => takeSnapshot(server.id, description.trim(), isRunning && withMemory),
    onSuccess: async () => {
      close();
      await queryClient.invalidateQueries({ queryKey: ['servers'] });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!take.isPending) take.mutate();
  };
  return (
    <FormDialog open onOpenChange={close} title={`Take a snapshot of ${server.name}`}>
      <form noValidate onSubmit={submit} className="grid gap-5">
        {take.error && <ErrorPanel error={take.error} title="No snapshot was taken" />}
        <TextField
          label="What for?"
          hint="A word by which you will know it, such as “before the upgrade”. It may stay empty."
          name="description"
          value={description}
          onValueChange={setDescription}
          maxLength={LONGEST}
          autoComplete="off"
        />
        <CheckBox
          label={
            <>
              With its memory
              <span className="block text-sm text-soft">
                {isRunning
                  ? 'Rolled back to it, the server goes on in the middle of what it does now, without a start. It takes longer and more room.'
                  : 'Only while the server runs.'}
              </span>
            </>
          }
          checked={isRunning && withMemory}
          onChange={setWithMemory}
          disabled={!isRunning}
        />
        <div className="flex justify-end gap-2">
          <Button look="secondary" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" busy={take.isPending}>
            Take the snapshot
          </Button>
        </div>
      </form>
    </FormDialog>
  );
}
