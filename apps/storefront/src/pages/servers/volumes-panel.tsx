import { useQuery } from '@tanstack/react-query';
import { Cylinder } from 'lucide-react';
import { useState } from 'react';
import type { ServerWire } from '#libs/contracts';
import { volumesQuery } from '../../api/volumes.ts';
import { Button } from '../../components/button.tsx';
import { Panel } from '../../components/section.tsx';
import { CreateVolumeDialog } from '../volumes/create-volume-dialog.tsx';
import { VolumeRow } from '../volumes/volume-row.tsx';
import { isServerBusy, isServerSuspended } from './is-busy.ts';

/** The volumes that the server has. */
export function VolumesPanel({ server }: { server: ServerWire }) {
  const [creating, setCreating] = useState(false);
  const { data: volumes } = useQuery(volumesQuery);
  const own = volumes?.filter(({ id }) => server.volumes.includes(id)) ?? [];
  return (
    <Panel>
      <div className="flex flex-wrap items-start justify-between gap-4">
        <h2 className="flex items-center gap-2.5 text-lg">
          <Cylinder aria-hidden="true" className="size-5 text-brand" /> Volumes
        </h2>
        <Button
          look="secondary"
          size="small"
          disabled={isServerBusy(server) || isServerSuspended(server)}
          onClick={() => setCreating(true)}
        >
          Add a volume
        </Button>
      </div>
      <p className="mt-2 text-soft">
        Disks beside its own, which stay when it is rebuilt or deleted. Snapshots, backups and exports leave
        them out.
      </p>
      {own.length > 0 && (
        <ul aria-label="Volumes of this server" className="-mx-4 mt-2 divide-y divide-line sm:-mx-5">
          {own.map((volume) => (
            <VolumeRow key={volume.id} volume={volume} />
          ))}
        </ul>
      )}
      {creating && <CreateVolumeDialog forServer={server.id} close={() => setCreating(false)} />}
    </Panel>
  );
}
