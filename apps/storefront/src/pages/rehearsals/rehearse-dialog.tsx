import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { ServerWire } from '#libs/contracts';
import { ApiError } from '../../api/client.ts';
import { rehearse } from '../../api/rehearsals.ts';
import { Button } from '../../components/button.tsx';
import { CheckBox } from '../../components/check-box.tsx';
import { FormDialog } from '../../components/dialogs.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { TextField } from '../../components/text-field.tsx';

const EXAMPLE = '#!/bin/sh\nset -e\napt-get update\napt-get -y upgrade\n';
const TIMEOUT_SECONDS = 3600;
const KEEP_HOURS = 24;

export function RehearseDialog({ server, close }: { server: ServerWire; close: () => void }) {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const [script, setScript] = useState('');
  const [isKept, setKept] = useState(false);
  const begin = useMutation({
    mutationFn: () =>
      rehearse(server.id, {
        script,
        timeout_seconds: TIMEOUT_SECONDS,
        keep_clone_hours: isKept ? KEEP_HOURS : 0,
      }),
    onSuccess: async ({ id }) => {
      await queryClient.invalidateQueries({ queryKey: ['servers'] });
      await navigate({ to: '/rehearsals/$rehearsalId', params: { rehearsalId: id } });
    },
  });
  const problem = begin.error instanceof ApiError ? begin.error.fields.script : undefined;
  return (
    <FormDialog open onOpenChange={close} title={`Rehearse an upgrade of ${server.name}`}>
      <form
        className="grid gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          begin.mutate();
        }}
      >
        {begin.error && !problem && <ErrorPanel error={begin.error} title="Nothing was started" />}
        <TextField
          label="Script"
          multiline
          mono
          required
          spellCheck={false}
          value={script}
          onValueChange={setScript}
          placeholder={EXAMPLE}
          problem={problem}
          hint="Run as root on a clone that opens no connection, for an hour at most. The clone costs what the server costs, by the second."
        />
        <CheckBox label="Keep the clone for a day, to look into it" checked={isKept} onChange={setKept} />
        <div className="flex justify-end gap-2">
          <Button look="secondary" type="button" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" busy={begin.isPending}>
            Try it on a clone
          </Button>
        </div>
      </form>
    </FormDialog>
  );
}
