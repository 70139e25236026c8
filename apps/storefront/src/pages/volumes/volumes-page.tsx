import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Cylinder, Plus } from 'lucide-react';
import { useState } from 'react';
import { everyServerQuery } from '../../api/servers.ts';
import { volumesQuery } from '../../api/volumes.ts';
import { Button } from '../../components/button.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Page } from '../../components/page.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { CreateVolumeDialog } from './create-volume-dialog.tsx';
import { VolumeRow } from './volume-row.tsx';

export function VolumesPage() {
  const [creating, setCreating] = useState(false);
  const { data: volumes, error, isPending, refetch } = useQuery(volumesQuery);
  const create = (
    <Button onClick={() => setCreating(true)}>
      <Plus aria-hidden="true" className="size-4" /> New volume
    </Button>
  );
  return (
    <Page
      title="Volumes"
      lead="Disks that outlive servers: attach one to a server, take it to another, and let it grow while it is in use."
      actions={volumes && volumes.length > 0 && create}
    >
      {error && <ErrorPanel error={error} retry={refetch} title="Your volumes could not be loaded" />}
      {isPending && <Skeleton className="h-24" />}
      {volumes?.length === 0 && (
        <EmptyState icon={Cylinder} title="No volumes yet" action={create}>
          What lies on a volume stays when its server is rebuilt or deleted.
        </EmptyState>
      )}
      {volumes && volumes.length > 0 && (
        <ul
          aria-label="Volumes"
          className="divide-y divide-line rounded-card border border-line bg-surface shadow-card"
        >
          {volumes.map((volume) => (
            <VolumeRow key={volume.id} volume={volume} where={<Holder serverId={volume.server} />} />
          ))}
        </ul>
      )}
      {creating && <CreateVolumeDialog close={() => setCreating(false)} />}
    </Page>
  );
}

function Holder({ serverId }: { serverId: number | null }) {
  const { data: servers = [] } = useQuery(everyServerQuery);
  if (serverId === null) return 'no server has it';
  const name = servers.find(({ id }) => id === serverId)?.name ?? `server ${serverId}`;
  return (
    <>
      on{' '}
      <Link to="/servers/$serverId" params={{ serverId }} className="underline">
        {name}
      </Link>
    </>
  );
}
