import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { HardDriveUpload } from 'lucide-react';
import { useState } from 'react';
import type { ImageWire } from '#libs/contracts';
import { deleteImage, ownImagesQuery } from '../../api/images.ts';
import { Button, buttonClass } from '../../components/button.tsx';
import { ConfirmDialog } from '../../components/dialogs.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Page } from '../../components/page.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { Time } from '../../components/time.tsx';
import { DevicesDialog } from './devices-dialog.tsx';
import { factsOf, originOf, refusalsOf } from './image-words.ts';

export function ImagesPage() {
  const { data: images, error, isPending, refetch } = useQuery(ownImagesQuery);
  const bring = (
    <Link to="/images/import" className={buttonClass()}>
      <HardDriveUpload aria-hidden="true" className="size-4" /> Bring a disk along
    </Link>
  );
  return (
    <Page
      title="Images"
      lead="What you have kept of your servers, had cooked, and brought along. Each makes new servers."
      actions={images && images.length > 0 && bring}
    >
      {error && <ErrorPanel error={error} retry={refetch} title="Your images could not be loaded" />}
      {isPending && <Skeleton className="h-24" />}
      {images?.length === 0 && (
        <EmptyState icon={HardDriveUpload} title="No images yet" action={bring}>
          Take a snapshot of a server, or bring the disk of a machine that you have elsewhere.
        </EmptyState>
      )}
      {images && images.length > 0 && (
        <ul
          aria-label="Images"
          className="divide-y divide-line rounded-card border border-line bg-surface shadow-card"
        >
          {images.map((image) => (
            <ImageRow key={image.id} image={image} />
          ))}
        </ul>
      )}
    </Page>
  );
}

function ImageRow({ image }: { image: ImageWire }) {
  const [dialog, setDialog] = useState<'devices' | 'delete' | null>(null);
  const close = () => setDialog(null);
  const isReady = image.status === 'available';
  const remarks = [...(image.servery.import?.notes ?? []), ...refusalsOf(image)];
  return (
    <li className="grid gap-3 p-4 sm:px-5">
      <div className="flex flex-wrap items-start justify-between gap-4">
        <div className="min-w-0">
          <p className="truncate font-[600]">{image.description}</p>
          <p className="text-sm text-soft">
            {isReady ? factsOf(image) : 'Being made'} {originOf(image)}
          </p>
          <p className="text-sm text-soft">
            <Time at={image.created} />
            {image.servery.recipe && (
              <>
                {' · '}
                <Link
                  to="/cooks/$cookId"
                  params={{ cookId: image.servery.recipe.cook }}
                  className="underline underline-offset-4"
                >
                  What is inside<span className="sr-only"> {image.description}</span>
                </Link>
              </>
            )}
          </p>
        </div>
        <div className="flex flex-wrap gap-2">
          {isReady && (
            <Link
              to="/configure/$name"
              params={{ name: String(image.id) }}
              className={buttonClass('primary', 'small')}
              aria-label={`Order a server of ${image.description}`}
            >
              Order
            </Link>
          )}
          {isReady && image.servery.import && (
            <Button look="secondary" size="small" onClick={() => setDialog('devices')}>
              Devices<span className="sr-only"> of {image.description}</span>
            </Button>
          )}
          <Button
            look="quiet"
            size="small"
            disabled={!isReady || image.protection.delete}
            onClick={() => setDialog('delete')}
          >
            Delete<span className="sr-only"> {image.description}</span>
          </Button>
        </div>
      </div>
      {remarks.length > 0 && (
        <ul className="grid list-disc gap-1 pl-5 text-sm text-soft">
          {remarks.map((remark) => (
            <li key={remark}>{remark}</li>
          ))}
        </ul>
      )}
      {dialog === 'devices' && <DevicesDialog image={image} close={close} />}
      {dialog === 'delete' && <DeleteImageDialog image={image} close={close} />}
    </li>
  );
}

function DeleteImageDialog({ image, close }: { image: ImageWire; close: () => void }) {
  const queryClient = useQueryClient();
  const remove = useMutation({
    mutationFn: () => deleteImage(image),
    onSuccess: async () => {
      await queryClient.invalidateQueries(ownImagesQuery);
      close();
    },
  });
  return (
    <ConfirmDialog
      open
      onOpenChange={close}
      title={`Delete ${image.description}?`}
      confirm="Delete"
      look="danger"
      busy={remove.isPending}
      onConfirm={() => remove.mutate()}
    >
      <p>No new servers can be made of it. Servers that were made of it stay.</p>
      {remove.error && <ErrorPanel error={remove.error} />}
    </ConfirmDialog>
  );
}
