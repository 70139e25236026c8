import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useId, useState } from 'react';
import type { ProductWire, ServerWire } from '#libs/contracts';
import { catalogQuery } from '../../api/catalog.ts';
import { newIdempotencyKey } from '../../api/client.ts';
import { imageQuery } from '../../api/images.ts';
import { rebuildServer } from '../../api/servers.ts';
import { Choice, ChoiceGroup } from '../../components/choice.tsx';
import { ConfirmDialog } from '../../components/dialogs.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { TextField } from '../../components/text-field.tsx';
import { imageNow, isOwnImage } from './image-now.ts';

/** Rebuilds a server from an image of the catalog, or from its own, after its name has been typed. */
export function RebuildDialog({ server, close }: { server: ServerWire; close: () => void }) {
  const queryClient = useQueryClient();
  const [image, setImage] = useState(() => imageNow(server));
  const [typed, setTyped] = useState('');
  // One key for one intention: another image is another one.
  const [idempotencyKey, setIdempotencyKey] = useState(newIdempotencyKey);
  const choose = (chosen: string) => {
    setImage(chosen);
    setIdempotencyKey(newIdempotencyKey());
  };
  const rebuild = useMutation({
    mutationFn: () => rebuildServer(server.id, image, idempotencyKey),
    onSuccess: async () => {
      close();
      await queryClient.invalidateQueries({ queryKey: ['servers'] });
    },
  });
  return (
    <ConfirmDialog
      open
      onOpenChange={close}
      title={`Rebuild ${server.name}?`}
      confirm="Erase and rebuild"
      look="danger"
      busy={rebuild.isPending}
      disabled={typed !== server.name}
      onConfirm={() => rebuild.mutate()}
    >
      <p>
        It gets a fresh disk. Once the new system works, everything on the old one is gone for good; if it
        does not, the server goes on as it was. It keeps its address, its size and their price; what an image
        costs beside them follows the image. {WAY_IN[server.servery.credentials.kind]} Its SSH host key
        changes too.
      </p>
      <ImageChoice server={server} value={image} onChange={choose} />
      <TextField
        label={`Type ${server.name} to go on`}
        name="confirm-name"
        value={typed}
        onValueChange={setTyped}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        mono
      />
      {rebuild.error && (
        <ErrorPanel error={rebuild.error} title="It was not rebuilt, and nothing was erased" />
      )}
    </ConfirmDialog>
  );
}

const WAY_IN = {
  ssh_key: 'Your SSH key lets you in as before.',
  password: 'You get a new password.',
  image: 'You get a new password, where the new image takes one.',
} as const;

interface ImageChoiceProps {
  readonly server: ServerWire;
  readonly value: string;
  readonly onChange: (image: string) => void;
}

function ImageChoice({ server, value, onChange }: ImageChoiceProps) {
  const titleId = useId();
  const { data: catalog, error, refetch } = useQuery(catalogQuery);
  const now = imageNow(server);
  const { data: own } = useQuery({ ...imageQuery(Number(now)), enabled: isOwnImage(server) });
  return (
    <div>
      <p id={titleId} className="mb-2 text-sm font-[550] text-ink">
        From which image?
      </p>
      {error && !catalog && (
        <ErrorPanel error={error} retry={refetch} title="The images could not be loaded" />
      )}
      {!catalog && !error && <Skeleton className="mb-2 h-14" count={2} />}
      {catalog && (
        <ChoiceGroup labelledBy={titleId} value={value} onChange={onChange} className="grid gap-2">
          {own && (
            <Choice value={now}>
              <span className="block font-[600] text-ink">
                {own.description}
                <span className="font-normal text-soft"> · as now</span>
              </span>
            </Choice>
          )}
          {catalog.products.map((product) => (
            <Choice key={product.name} value={product.name} disabled={!fits(product, server)}>
              <span className="block font-[600] text-ink">
                {product.title}
                {product.name === now && <span className="font-normal text-soft"> · as now</span>}
              </span>
              <span className="block text-sm text-soft">
                {fits(product, server) ? product.summary : 'Needs more memory or disk than this server has.'}
              </span>
            </Choice>
          ))}
        </ChoiceGroup>
      )}
    </div>
  );
}

function fits(product: ProductWire, server: ServerWire): boolean {
  return (
    product.min_memory_gb <= server.server_type.memory && product.min_disk_gb <= server.primary_disk_size
  );
}
