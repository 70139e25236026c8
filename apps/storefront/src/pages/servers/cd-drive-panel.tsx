import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Disc3 } from 'lucide-react';
import { useState } from 'react';
import type { ServerWire } from '#libs/contracts';
import { attachIso, isosQuery } from '../../api/isos.ts';
import { Button } from '../../components/button.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Panel } from '../../components/section.tsx';
import { SelectField } from '../../components/select-field.tsx';
import { isServerBusy, isServerSuspended } from './is-busy.ts';
import { useServerAction } from './use-server-action.ts';

/** The ISO image in the server's CD drive, and those that could be; nothing where there are none. */
export function CdDrivePanel({ server }: { server: ServerWire }) {
  const queryClient = useQueryClient();
  const { data: isos = [] } = useQuery(isosQuery);
  const [chosen, setChosen] = useState('');
  const iso = isos.find(({ id }) => String(id) === chosen) ?? isos[0];
  const attach = useMutation({
    mutationFn: (id: number) => attachIso(server.id, id),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ['servers'] }),
  });
  const { start, busy, error } = useServerAction(server.id, { started: () => {}, follow: false });
  if (!iso && !server.iso) return null;
  const disabled = isServerBusy(server) || isServerSuspended(server) || busy || attach.isPending;
  return (
    <Panel>
      <h2 className="flex items-center gap-2.5 text-lg">
        <Disc3 aria-hidden="true" className="size-5 text-brand" /> CD drive
      </h2>
      <p className="mt-2 mb-4 text-soft">
        {server.iso
          ? `${server.iso.description} is in it. It boots from that before its own disk.`
          : 'It is empty. It would boot from what is in it before its own disk.'}
      </p>
      <div className="grid justify-items-start gap-3">
        {server.iso ? (
          <Button look="secondary" disabled={disabled} onClick={() => start('detach_iso')}>
            Take it out
          </Button>
        ) : (
          iso && (
            <>
              <SelectField
                label="ISO image"
                value={String(iso.id)}
                options={isos.map(({ id, description }) => [String(id), description] as const)}
                onChange={setChosen}
              />
              <Button look="secondary" disabled={disabled} onClick={() => attach.mutate(iso.id)}>
                Put it in
              </Button>
            </>
          )
        )}
        {(attach.error ?? error) && <ErrorPanel error={attach.error ?? error} />}
      </div>
    </Panel>
  );
}
