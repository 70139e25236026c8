import { type FormEvent, useState } from 'react';
import type { VolumeWire } from '#libs/contracts';
import { Button } from '../../components/button.tsx';
import { FormDialog } from '../../components/dialogs.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { parseSize, SizeField } from './size-field.tsx';
import type { VolumeAnswer } from './use-volume-action.ts';

interface ResizeDialogProps extends VolumeAnswer {
  readonly volume: VolumeWire;
  readonly resize: (size: number) => void;
  readonly close: () => void;
}

/** How large a volume becomes. */
export function ResizeDialog({ volume, resize, close, busy, refusal }: ResizeDialogProps) {
  const [size, setSize] = useState(String(volume.size * 2));
  const [tried, setTried] = useState(false);
  const atLeast = volume.size + 1;

  function submit(event: FormEvent): void {
    event.preventDefault();
    setTried(true);
    const wanted = parseSize(size, atLeast);
    if (wanted !== undefined) resize(wanted);
  }
  return (
    <FormDialog open onOpenChange={close} title={`Resize ${volume.name}`}>
      <form noValidate onSubmit={submit} className="grid gap-5">
        {refusal && <ErrorPanel error={refusal} title="It stayed as it was" />}
        <p className="text-soft">
          A volume grows while it is in use, and never shrinks. Its file system is grown on the server, with{' '}
          <code className="font-mono">{growCommand(volume)}</code>.
        </p>
        <SizeField
          label="New size in GB"
          value={size}
          onChange={setSize}
          atLeast={atLeast}
          showProblem={tried}
          refused={undefined}
        />
        <div className="flex justify-end gap-2">
          <Button look="secondary" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" busy={busy}>
            Resize
          </Button>
        </div>
      </form>
    </FormDialog>
  );
}

/** XFS is grown where it is mounted, ext4 on its device. */
function growCommand({ id, format, linux_device: device }: VolumeWire): string {
  return format === 'xfs' ? `xfs_growfs /mnt/HC_Volume_${id}` : `resize2fs ${device}`;
}
