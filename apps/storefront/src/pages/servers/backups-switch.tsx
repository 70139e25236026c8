import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { ServerWire } from '#libs/contracts';
import { setBackups } from '../../api/images.ts';
import { Button } from '../../components/button.tsx';
import { ConfirmDialog } from '../../components/dialogs.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Time } from '../../components/time.tsx';
import { formatCount } from '../../format.ts';

/** Whether backups are made of a server by themselves, and when. */
export function BackupsSwitch({ server, isBusy }: { server: ServerWire; isBusy: boolean }) {
  const [asking, setAsking] = useState(false);
  const queryClient = useQueryClient();
  const plan = server.servery.backup_plan;
  const change = useMutation({
    mutationFn: (isOn: boolean) => setBackups(server.id, isOn),
    onSuccess: async () => {
      setAsking(false);
      await queryClient.invalidateQueries({ queryKey: ['servers'] });
    },
  });
  return (
    <div className="mt-4 flex flex-wrap items-center justify-between gap-3 rounded-control bg-sunken p-3 text-sm">
      {plan ? (
        <p>
          Backed up {plan.weekday ? `each ${plan.weekday}` : 'each day'} between{' '}
          {plan.backup_window.replace('-', ' and ')} o’clock (UTC); the newest{' '}
          {formatCount(plan.keep, 'backup')} stay. The next: <Time at={plan.next} />
        </p>
      ) : (
        <p>No backups are made by themselves.</p>
      )}
      <Button
        look="secondary"
        size="small"
        disabled={isBusy}
        busy={change.isPending}
        onClick={() => (plan ? setAsking(true) : change.mutate(true))}
      >
        {plan ? 'Stop backups' : 'Back up daily'}
      </Button>
      {change.error && !asking && <ErrorPanel error={change.error} />}
      <ConfirmDialog
        open={asking}
        onOpenChange={setAsking}
        title={`Stop the backups of ${server.name}?`}
        confirm="Stop, and delete them"
        look="danger"
        busy={change.isPending}
        onConfirm={() => change.mutate(false)}
      >
        <p>
          All its backups are deleted as well. Those that you want to keep, keep as snapshots first: each has
          a menu.
        </p>
        {change.error && <ErrorPanel error={change.error} title="The backups go on" />}
      </ConfirmDialog>
    </div>
  );
}
