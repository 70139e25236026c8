import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { ServerWire } from '#libs/contracts';
import { deleteServer } from '../../api/servers.ts';
import { ConfirmDialog } from '../../components/dialogs.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { TextField } from '../../components/text-field.tsx';

/** Deletes a server, after its name has been typed. */
export function DeleteServerDialog({ server, close }: { server: ServerWire; close: () => void }) {
  const [typed, setTyped] = useState('');
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const remove = useMutation({
    mutationFn: () => deleteServer(server.id),
    onSuccess: async () => {
      close();
      await navigate({ to: '/servers' });
      await queryClient.invalidateQueries({ queryKey: ['servers'] });
    },
  });
  return (
    <ConfirmDialog
      open
      onOpenChange={close}
      title={`Delete ${server.name}?`}
      confirm="Delete for good"
      look="danger"
      busy={remove.isPending}
      disabled={typed !== server.name}
      onConfirm={() => remove.mutate()}
    >
      <p>The server and everything on its disk are gone at once and cannot be brought back. Billing stops.</p>
      {server.volumes.length > 0 && <p>Its volumes are detached, and kept with all that is on them.</p>}
      <TextField
        label={`Type ${server.name} to go on`}
        name="confirm-name"
        value={typed}
        onValueChange={setTyped}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        mono
      />
      {remove.error && <ErrorPanel error={remove.error} title="It was not deleted" />}
    </ConfirmDialog>
  );
}
