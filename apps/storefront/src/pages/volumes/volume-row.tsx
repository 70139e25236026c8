import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Lock, LockOpen, Maximize2, Plug, Trash2, Unplug } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import type { VolumeWire } from '#libs/contracts';
import { attachVolume, deleteVolume, detachVolume, protectVolume, resizeVolume } from '../../api/volumes.ts';
import { ConfirmDialog } from '../../components/dialogs.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { DropMenu, DropMenuDots, DropMenuHint, DropMenuItem, DropMenuRule } from '../../components/menu.tsx';
import { AttachDialog } from './attach-dialog.tsx';
import { ResizeDialog } from './resize-dialog.tsx';
import { useVolumeAction, type VolumeAnswer } from './use-volume-action.ts';

type Asking = 'attach' | 'detach' | 'resize' | 'delete';

/** A volume with what can be done with it; `where` says which server has it, where that is not plain. */
export function VolumeRow({ volume, where }: { volume: VolumeWire; where?: ReactNode }) {
  const [asking, setAsking] = useState<Asking | null>(null);
  const action = useVolumeAction(() => setAsking(null));
  const close = () => {
    setAsking(null);
    action.clear();
  };
  const act = action.start;
  // A dialog hides the row, so it says itself why it was refused.
  const answer = { busy: action.busy, refusal: action.refusal };
  const error = action.failure ?? (asking === null ? action.refusal : null);
  const isBusy = action.busy || volume.status === 'creating';
  return (
    <li className="grid gap-3 p-4 sm:px-5">
      <div className="flex items-start justify-between gap-4">
        <div className="min-w-0">
          <p className="truncate font-[600]">{volume.name}</p>
          <p className="text-sm text-soft">
            {factsOf(volume)}
            {where && <> · {where}</>}
            {isBusy && ' · at work'}
          </p>
          <p className="text-sm break-all text-soft">
            <code className="font-mono">{volume.linux_device}</code>
          </p>
        </div>
        <VolumeMenu
          volume={volume}
          isBusy={isBusy}
          ask={(what) => {
            action.clear();
            setAsking(what);
          }}
          protect={() => act(() => protectVolume(volume))}
        />
      </div>
      {error && <ErrorPanel error={error} title="It stayed as it was" />}
      {asking === 'attach' && (
        <AttachDialog
          volume={volume}
          attach={(server, automount) => act(() => attachVolume(volume.id, server, automount))}
          close={close}
          {...answer}
        />
      )}
      {asking === 'resize' && (
        <ResizeDialog
          volume={volume}
          resize={(size) => act(() => resizeVolume(volume.id, size))}
          close={close}
          {...answer}
        />
      )}
      {asking === 'detach' && (
        <DetachDialog
          volume={volume}
          detach={() => act(() => detachVolume(volume.id))}
          close={close}
          {...answer}
        />
      )}
      {asking === 'delete' && <DeleteDialog volume={volume} close={close} />}
    </li>
  );
}

interface MenuProps {
  readonly volume: VolumeWire;
  readonly isBusy: boolean;
  readonly ask: (what: Asking) => void;
  readonly protect: () => void;
}

function VolumeMenu({ volume, isBusy, ask, protect }: MenuProps) {
  const isAttached = volume.server !== null;
  const isProtected = volume.protection.delete;
  return (
    <DropMenu trigger={<DropMenuDots name={volume.name} />}>
      <DropMenuItem
        icon={isAttached ? Unplug : Plug}
        disabled={isBusy}
        onClick={() => ask(isAttached ? 'detach' : 'attach')}
      >
        {isAttached ? 'Detach' : 'Attach to a server'}
      </DropMenuItem>
      <DropMenuItem icon={Maximize2} disabled={isBusy} onClick={() => ask('resize')}>
        Resize
      </DropMenuItem>
      <DropMenuItem icon={isProtected ? LockOpen : Lock} disabled={isBusy} onClick={protect}>
        {isProtected ? 'Take the protection away' : 'Protect from deletion'}
      </DropMenuItem>
      <DropMenuRule />
      <DropMenuItem
        icon={Trash2}
        danger
        disabled={isBusy || isAttached || isProtected}
        onClick={() => ask('delete')}
      >
        Delete
      </DropMenuItem>
      {isAttached && <DropMenuHint>It can be deleted when no server has it.</DropMenuHint>}
    </DropMenu>
  );
}

function factsOf({ size, format, protection }: VolumeWire): string {
  return [`${size} GB`, format ?? 'no file system of ours', ...(protection.delete ? ['protected'] : [])].join(
    ' · ',
  );
}

interface DetachProps extends VolumeAnswer {
  readonly volume: VolumeWire;
  readonly detach: () => void;
  readonly close: () => void;
}

function DetachDialog({ volume, detach, close, busy, refusal }: DetachProps) {
  return (
    <ConfirmDialog
      open
      onOpenChange={close}
      title={`Detach ${volume.name}?`}
      confirm="Detach"
      busy={busy}
      onConfirm={detach}
    >
      <p>
        The server is asked to unmount it, and then it is unplugged. All that is on it stays. What still
        writes to it should be stopped before.
      </p>
      {refusal && <ErrorPanel error={refusal} title="It stayed as it was" />}
    </ConfirmDialog>
  );
}

function DeleteDialog({ volume, close }: { volume: VolumeWire; close: () => void }) {
  const queryClient = useQueryClient();
  const remove = useMutation({
    mutationFn: () => deleteVolume(volume.id),
    onSuccess: async () => {
      close();
      await queryClient.invalidateQueries({ queryKey: ['volumes'] });
    },
  });
  return (
    <ConfirmDialog
      open
      onOpenChange={close}
      title={`Delete ${volume.name}?`}
      confirm="Delete for good"
      look="danger"
      busy={remove.isPending}
      onConfirm={() => remove.mutate()}
    >
      <p>All that is on it is gone at once and cannot be brought back. Billing stops.</p>
      {remove.error && <ErrorPanel error={remove.error} title="It was not deleted" />}
    </ConfirmDialog>
  );
}
