import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { RehearsalWire } from '#libs/contracts';
import { applyRehearsal } from '../../api/rehearsals.ts';
import { Button } from '../../components/button.tsx';
import { ConfirmDialog } from '../../components/dialogs.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Panel } from '../../components/section.tsx';
import { Time } from '../../components/time.tsx';

/** Does on the server what was rehearsed, for as long as that says enough of it. */
export function ApplyPanel({ rehearsal }: { rehearsal: RehearsalWire }) {
  const queryClient = useQueryClient();
  const [asking, setAsking] = useState(false);
  const hasFailed = rehearsal.status === 'failed';
  const apply = useMutation({
    mutationFn: () => applyRehearsal(rehearsal.id, hasFailed),
    onSuccess: async () => {
      setAsking(false);
      await queryClient.invalidateQueries({ queryKey: ['rehearsals', rehearsal.id] });
      await queryClient.invalidateQueries({ queryKey: ['servers'] });
    },
  });
  if (rehearsal.applicable_until === null) return null;
  return (
    <Panel>
      <div className="flex flex-wrap items-center justify-between gap-4">
        <p className="max-w-xl text-soft">
          Applying it takes a snapshot, runs the same script on the server and tries the same checks. Where
          any of it fails, the server is put back by itself, and you get a mail. Until{' '}
          <Time at={rehearsal.applicable_until} />.
        </p>
        <Button look={hasFailed ? 'secondary' : 'primary'} onClick={() => setAsking(true)}>
          {hasFailed ? 'Apply it all the same' : 'Apply to the server'}
        </Button>
      </div>
      <ConfirmDialog
        open={asking}
        onOpenChange={setAsking}
        title={hasFailed ? 'Apply what has failed?' : 'Apply it to the server?'}
        confirm="Apply it"
        look={hasFailed ? 'danger' : 'primary'}
        busy={apply.isPending}
        onConfirm={() => apply.mutate()}
      >
        {apply.error && <ErrorPanel error={apply.error} title="Nothing was applied" />}
        <p>
          The script runs on the server as root. Where the server has to be put back, what was written since
          is kept for a day as an image.
        </p>
      </ConfirmDialog>
    </Panel>
  );
}
