import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import type { VolumeWire } from '#libs/contracts';
import { everyServerQuery } from '../../api/servers.ts';
import { Button } from '../../components/button.tsx';
import { CheckBox } from '../../components/check-box.tsx';
import { FormDialog } from '../../components/dialogs.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { SelectField } from '../../components/select-field.tsx';
import type { VolumeAnswer } from './use-volume-action.ts';

interface AttachDialogProps extends VolumeAnswer {
  readonly volume: VolumeWire;
  readonly attach: (server: number, automount: boolean) => void;
  readonly close: () => void;
}

/** Which server gets a volume. */
export function AttachDialog({ volume, attach, close, busy, refusal }: AttachDialogProps) {
  const { data: servers = [] } = useQuery(everyServerQuery);
  const [chosen, setChosen] = useState('');
  const [automount, setAutomount] = useState(true);
  const ready = servers.filter(({ servery }) => servery.ready);
  const server = chosen || String(ready[0]?.id ?? '');

  function submit(event: FormEvent): void {
    event.preventDefault();
    if (server) attach(Number(server), automount);
  }
  return (
    <FormDialog open onOpenChange={close} title={`Attach ${volume.name}`}>
      <form noValidate onSubmit={submit} className="grid gap-5">
        {refusal && <ErrorPanel error={refusal} title="It stayed as it was" />}
        <SelectField
          label="Server"
          value={server}
          options={ready.map((one) => [String(one.id), one.name] as const)}
          onChange={setChosen}
          hint={
            ready.length === 0
              ? 'You have no server that is ready.'
              : 'It may run: it sees the volume at once.'
          }
        />
        <CheckBox
          label="Mount its file system there, now and at each boot"
          checked={automount}
          onChange={setAutomount}
        />
        <div className="flex justify-end gap-2">
          <Button look="secondary" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" busy={busy} disabled={server === ''}>
            Attach
          </Button>
        </div>
      </form>
    </FormDialog>
  );
}
