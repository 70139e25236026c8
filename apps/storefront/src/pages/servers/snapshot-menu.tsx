import { useMutation, useQueryClient } from '@tanstack/react-query';
import { History, Lock, LockOpen, Pin, Trash2 } from 'lucide-react';
import { useState } from 'react';
import type { ImageWire, ServerWire } from '#libs/contracts';
import { deleteImage, protectImage, rollBackServer, updateImage } from '../../api/images.ts';
import { CheckBox } from '../../components/check-box.tsx';
import { ConfirmDialog } from '../../components/dialogs.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { DropMenu, DropMenuDots, DropMenuHint, DropMenuItem, DropMenuRule } from '../../components/menu.tsx';
import { formatDate } from '../../format.ts';
import { nameOf } from './snapshot-name.ts';

interface SnapshotMenuProps {
  readonly server: ServerWire;
  readonly image: ImageWire;
  /** Something is being done to the server, which cannot be rolled back meanwhile. */
  readonly isBusy: boolean;
  /** That, or it is suspended, or in its rescue system. */
  readonly isHeld: boolean;
}

/** What can be done with a snapshot or a backup. */
export function SnapshotMenu({ server, image, isBusy, isHeld }: SnapshotMenuProps) {
  const [asking, setAsking] = useState<keyof typeof DIALOGS | null>(null);
  const queryClient = useQueryClient();
  const refresh = () => queryClient.invalidateQueries({ queryKey: ['servers'] });
  const keep = useMutation({
    mutationFn: () => updateImage(image.id, { type: 'snapshot' }),
    onSuccess: refresh,
  });
  const protect = useMutation({
    mutationFn: () => protectImage(image.id, !image.protection.delete),
    onSuccess: refresh,
  });
  const goesByItself = image.type === 'backup' || image.servery.expires_at !== null;
  const failed = keep.error ?? protect.error;
  const Asking = asking && DIALOGS[asking];
  return (
    <>
      <DropMenu trigger={<DropMenuDots name={nameOf(image)} />}>
        <DropMenuItem
          icon={History}
          disabled={isHeld || server.protection.rebuild}
          onClick={() => setAsking('rollBack')}
        >
          Roll back to it
        </DropMenuItem>
        {goesByItself ? (
          <DropMenuItem icon={Pin} onClick={() => keep.mutate()}>
            Keep as a snapshot
          </DropMenuItem>
        ) : (
          <DropMenuItem icon={image.protection.delete ? LockOpen : Lock} onClick={() => protect.mutate()}>
            {image.protection.delete ? 'Take the protection away' : 'Protect from deletion'}
          </DropMenuItem>
        )}
        <DropMenuRule />
        <DropMenuItem
          icon={Trash2}
          danger
          disabled={image.protection.delete}
          onClick={() => setAsking('remove')}
        >
          Delete
        </DropMenuItem>
        {isBusy && (
          <DropMenuHint>Something is being done to the server; it can be rolled back then.</DropMenuHint>
        )}
      </DropMenu>
      {failed && <ErrorPanel error={failed} title="It stayed as it was" />}
      {Asking && <Asking server={server} image={image} close={() => setAsking(null)} />}
    </>
  );
}

interface AskingProps extends Omit<SnapshotMenuProps, 'isBusy' | 'isHeld'> {
  readonly close: () => void;
}

function RollBackDialog({ server, image, close }: AskingProps) {
  const queryClient = useQueryClient();
  const isSameSize = image.disk_size === server.primary_disk_size;
  const canGoOn = image.servery.has_memory && server.status === 'running' && isSameSize;
  const [wantsMemory, setWantsMemory] = useState(true);
  const goesOn = canGoOn && wantsMemory;
  const rollBack = useMutation({
    mutationFn: () => rollBackServer(server.id, image.id, goesOn),
    onSuccess: async () => {
      close();
      await queryClient.invalidateQueries({ queryKey: ['servers'] });
    },
  });
  return (
    <ConfirmDialog
      open
      onOpenChange={close}
      title={`Roll ${server.name} back?`}
      confirm="Roll back"
      look="danger"
      busy={rollBack.isPending}
      onConfirm={() => rollBack.mutate()}
    >
      <p>
        It is switched off, its disk is as it was on {formatDate(image.created)}, and{' '}
        {goesOn ? 'it goes on from that moment without a start' : 'it starts again'}, with its address, its
        name and its keys. What its disk has now is kept for a day, so that you can come back to that.
      </p>
      {canGoOn && (
        <CheckBox
          label="Go on from its memory"
          checked={wantsMemory}
          onChange={setWantsMemory}
          disabled={rollBack.isPending}
        />
      )}
      {rollBack.error && <ErrorPanel error={rollBack.error} title="It was not rolled back" />}
    </ConfirmDialog>
  );
}

function RemoveDialog({ image, close }: AskingProps) {
  const queryClient = useQueryClient();
  const remove = useMutation({
    mutationFn: () => deleteImage(image),
    onSuccess: async () => {
      close();
      await queryClient.invalidateQueries({ queryKey: ['servers'] });
    },
  });
  return (
    <ConfirmDialog
      open
      onOpenChange={close}
      title={`Delete “${nameOf(image)}”?`}
      confirm="Delete for good"
      look="danger"
      busy={remove.isPending}
      onConfirm={() => remove.mutate()}
    >
      <p>
        What was kept on {formatDate(image.created)} is gone for good. The server, and others that were made
        of it, are not touched.
      </p>
      {remove.error && <ErrorPanel error={remove.error} title="It was not deleted" />}
    </ConfirmDialog>
  );
}

const DIALOGS = { rollBack: RollBackDialog, remove: RemoveDialog } as const;
