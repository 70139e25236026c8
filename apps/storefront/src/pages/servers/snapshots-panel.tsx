import { useQuery } from '@tanstack/react-query';
import { Camera } from 'lucide-react';
import { useState } from 'react';
import type { ImageWire, ServerWire } from '#libs/contracts';
import { serverImagesQuery } from '../../api/images.ts';
import { Button } from '../../components/button.tsx';
import { Panel } from '../../components/section.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { Time } from '../../components/time.tsx';
import { formatBytes, formatDate } from '../../format.ts';
import { BackupsSwitch } from './backups-switch.tsx';
import { isServerBusy, isServerInRescue, isServerSuspended } from './is-busy.ts';
import { SnapshotMenu } from './snapshot-menu.tsx';
import { nameOf } from './snapshot-name.ts';
import { TakeSnapshotDialog } from './take-snapshot-dialog.tsx';

/** The API's sizes are by 1024. */
const BYTES_PER_GB = 1024 ** 3;

/** What was kept of a server's disk, moment by moment, and the ways back to it. */
export function SnapshotsPanel({ server }: { server: ServerWire }) {
  const [taking, setTaking] = useState(false);
  const { data: images, error } = useQuery(serverImagesQuery(server.id));
  const isBusy = isServerBusy(server);
  const isHeld = isBusy || isServerSuspended(server) || isServerInRescue(server);
  return (
    <Panel>
      <div className="flex flex-wrap items-start justify-between gap-4">
        <h2 className="flex items-center gap-2.5 text-lg">
          <Camera aria-hidden="true" className="size-5 text-brand" /> Snapshots and backups
        </h2>
        <Button look="secondary" size="small" disabled={isHeld} onClick={() => setTaking(true)}>
          Take a snapshot
        </Button>
      </div>
      <p className="mt-2 text-soft">
        A snapshot keeps the disk as it is at one moment, while the server runs. Take one before an upgrade:
        the server can be rolled back to it.
      </p>
      <BackupsSwitch server={server} isBusy={isBusy} />
      {!images && !error && <Skeleton className="mt-4 h-12" count={2} />}
      {error && !images && (
        <p className="mt-4 text-sm text-soft">What was kept could not be loaded. It is asked for again.</p>
      )}
      {images && images.length > 0 && (
        <ol aria-label="Snapshots and backups" className="mt-4 divide-y divide-line">
          {images.map((image) => (
            <Kept key={image.id} server={server} image={image} isBusy={isBusy} isHeld={isHeld} />
          ))}
        </ol>
      )}
      {taking && <TakeSnapshotDialog server={server} close={() => setTaking(false)} />}
    </Panel>
  );
}

interface KeptProps {
  readonly server: ServerWire;
  readonly image: ImageWire;
  readonly isBusy: boolean;
  readonly isHeld: boolean;
}

function Kept({ server, image, isBusy, isHeld }: KeptProps) {
  const { expires_at: expiresAt, restore_test: test } = image.servery;
  return (
    <li className="flex items-center justify-between gap-4 py-3">
      <div className="min-w-0">
        <p className="font-medium break-words">{nameOf(image)}</p>
        <p className="text-sm text-soft">
          {image.status === 'creating' ? (
            'Being made'
          ) : (
            <>
              <Time at={image.created} />
              {image.image_size !== null && ` · ${formatBytes(image.image_size * BYTES_PER_GB)}`}
              {image.servery.has_memory && ' · with its memory'}
              {image.protection.delete && ' · protected'}
              {expiresAt && ` · kept until ${formatDate(expiresAt)}`}
            </>
          )}
        </p>
        {image.status === 'available' && test && <RestoreTest test={test} />}
      </div>
      {image.status === 'available' && (
        <SnapshotMenu server={server} image={image} isBusy={isBusy} isHeld={isHeld} />
      )}
    </li>
  );
}

/** Only what was tried out is called restorable. */
function RestoreTest({ test }: { test: NonNullable<ImageWire['servery']['restore_test']> }) {
  if (test.state === 'untested' || test.tested_at === null) {
    return <p className="text-sm text-soft">Starting from it was not tried out yet</p>;
  }
  const when = <Time at={test.tested_at} />;
  return test.state === 'passed' ? (
    <p className="text-sm text-good">Started from it to try it out: {when}</p>
  ) : (
    <p className="text-sm text-bad">
      It could not be restored: {test.reason} ({when})
    </p>
  );
}
