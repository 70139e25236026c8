import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { ApiError, newIdempotencyKey } from '../../api/client.ts';
import { everyServerQuery } from '../../api/servers.ts';
import { createVolume, type VolumeOrder } from '../../api/volumes.ts';
import { Button } from '../../components/button.tsx';
import { CheckBox } from '../../components/check-box.tsx';
import { FormDialog } from '../../components/dialogs.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { SelectField } from '../../components/select-field.tsx';
import { TextField } from '../../components/text-field.tsx';
import { parseSize, SizeField } from './size-field.tsx';

type VolumeFormat = NonNullable<VolumeOrder['format']>;

const FORMATS = [
  ['ext4', 'ext4, ready to be mounted'],
  ['xfs', 'XFS, ready to be mounted'],
  ['', 'None: I make one on the server'],
] as const;

/** `forServer`: the server that gets it, where that is settled. */
export function CreateVolumeDialog({ forServer, close }: { forServer?: number; close: () => void }) {
  const queryClient = useQueryClient();
  const { data: servers = [] } = useQuery({ ...everyServerQuery, enabled: forServer === undefined });
  const [name, setName] = useState('');
  const [size, setSize] = useState('10');
  const [format, setFormat] = useState<VolumeFormat | ''>('ext4');
  const [server, setServer] = useState(forServer === undefined ? '' : String(forServer));
  const [automount, setAutomount] = useState(true);
  const [tried, setTried] = useState(false);
  const [key] = useState(newIdempotencyKey);
  const create = useMutation({
    mutationFn: (wanted: number) =>
      createVolume(
        {
          ...{ name: name.trim(), size: wanted },
          ...(format && { format }),
          ...(server && { server: Number(server), automount: automount && format !== '' }),
        },
        key,
      ),
    onSuccess: async () => {
      close();
      await queryClient.invalidateQueries({ queryKey: ['volumes'] });
      await queryClient.invalidateQueries({ queryKey: ['servers'] });
    },
  });
  const refused = create.error instanceof ApiError ? create.error : undefined;
  const nameProblem = refused?.code === 'uniqueness_error' ? 'Another volume has this name.' : null;
  const ready = servers.filter(({ servery }) => servery.ready);

  function submit(event: FormEvent): void {
    event.preventDefault();
    setTried(true);
    const wanted = parseSize(size, 1);
    if (name.trim() !== '' && wanted !== undefined) create.mutate(wanted);
  }
  return (
    <FormDialog open onOpenChange={close} title="New volume">
      <form noValidate onSubmit={submit} className="grid gap-5">
        {refused && !nameProblem && !refused.fields.size && <ErrorPanel error={refused} />}
        <TextField
          label="Name"
          name="volume-name"
          value={name}
          onValueChange={setName}
          problem={nameProblem ?? (tried && name.trim() === '' ? 'must not be empty' : null)}
          autoComplete="off"
          maxLength={128}
        />
        <SizeField
          label="Size in GB"
          value={size}
          onChange={setSize}
          atLeast={1}
          showProblem={tried}
          refused={refused?.fields.size}
        />
        <SelectField label="File system" value={format} options={FORMATS} onChange={setFormat} />
        {forServer === undefined && (
          <SelectField
            label="Server"
            value={server}
            options={[['', 'None yet'], ...ready.map((one) => [String(one.id), one.name] as const)]}
            onChange={setServer}
          />
        )}
        {server && format && (
          <CheckBox
            label="Mount it on the server, now and at each boot"
            checked={automount}
            onChange={setAutomount}
          />
        )}
        <div className="flex justify-end gap-2">
          <Button look="secondary" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" busy={create.isPending}>
            Create volume
          </Button>
        </div>
      </form>
    </FormDialog>
  );
}
