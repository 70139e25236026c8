import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { ServerWire } from '#libs/contracts';
import { sshKeysQuery } from '../../api/account.ts';
import { newIdempotencyKey } from '../../api/client.ts';
import { enableRescue } from '../../api/servers.ts';
import { CheckBox } from '../../components/check-box.tsx';
import { ConfirmDialog } from '../../components/dialogs.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';

interface EnableRescueDialogProps {
  readonly server: ServerWire;
  /** Told the password, where no key lets its owner in. */
  readonly enabled: (password: string | null) => void;
  readonly close: () => void;
}

/** Chooses who is let into a rescue system. */
export function EnableRescueDialog({ server, enabled, close }: EnableRescueDialogProps) {
  const queryClient = useQueryClient();
  const { data: keys = [] } = useQuery(sshKeysQuery);
  const [chosen, setChosen] = useState<readonly number[]>([]);
  // One key for one intention: other SSH keys are another one.
  const [idempotencyKey, setIdempotencyKey] = useState(newIdempotencyKey);
  const choose = (id: number, isChosen: boolean) => {
    setChosen(isChosen ? [...chosen, id] : chosen.filter((other) => other !== id));
    setIdempotencyKey(newIdempotencyKey());
  };
  const enable = useMutation({
    mutationFn: () => enableRescue(server.id, chosen, idempotencyKey),
    onSuccess: async ({ root_password: password }) => {
      enabled(password || null);
      close();
      await queryClient.invalidateQueries({ queryKey: ['servers'] });
    },
    gcTime: 0,
  });
  return (
    <ConfirmDialog
      open
      onOpenChange={close}
      title={`Rescue ${server.name}?`}
      confirm="Enable the rescue system"
      busy={enable.isPending}
      onConfirm={() => enable.mutate()}
    >
      <p>
        Nothing happens to it now. Its next boot, within an hour, is from a small Linux of ours, at its own
        address; its disk is there too, untouched. The boot after that is from its own disk again.
      </p>
      {keys.length > 0 && (
        <fieldset className="grid gap-2.5 text-ink">
          <legend className="mb-2 text-sm font-[550]">Which SSH keys shall open it?</legend>
          {keys.map(({ id, name }) => (
            <CheckBox
              key={id}
              label={name}
              checked={chosen.includes(id)}
              onChange={(isChosen) => choose(id, isChosen)}
            />
          ))}
        </fieldset>
      )}
      <p>
        {chosen.length === 0
          ? 'You get a password, which is shown to you once.'
          : 'There is no password then.'}
      </p>
      {enable.error && <ErrorPanel error={enable.error} title="It was not enabled" />}
    </ConfirmDialog>
  );
}
