import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { KeyRound, Plus } from 'lucide-react';
import { useState } from 'react';
import type { SshKeyWire } from '#libs/contracts';
import { deleteSshKey, sshKeysQuery } from '../../api/account.ts';
import { Button } from '../../components/button.tsx';
import { ConfirmDialog } from '../../components/dialogs.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Page } from '../../components/page.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { Time } from '../../components/time.tsx';
import { AddKeyDialog } from './add-key-dialog.tsx';

export function SshKeysPage() {
  const [adding, setAdding] = useState(false);
  const { data: keys, error, isPending, refetch } = useQuery(sshKeysQuery);
  const add = (
    <Button onClick={() => setAdding(true)}>
      <Plus aria-hidden="true" className="size-4" /> Add a key
    </Button>
  );
  return (
    <Page
      title="SSH keys"
      lead="New servers let these keys in. A key that you remove here stays on the servers that have it."
      actions={keys && keys.length > 0 && add}
    >
      {error && <ErrorPanel error={error} retry={refetch} title="Your keys could not be loaded" />}
      {isPending && <Skeleton className="h-24" />}
      {keys?.length === 0 && (
        <EmptyState icon={KeyRound} title="No keys yet" action={add}>
          With a key you log in without a password, and nobody can guess it.
        </EmptyState>
      )}
      {keys && keys.length > 0 && (
        <ul className="divide-y divide-line rounded-card border border-line bg-surface shadow-card">
          {keys.map((key) => (
            <KeyRow key={key.id} sshKey={key} />
          ))}
        </ul>
      )}
      {adding && <AddKeyDialog close={() => setAdding(false)} />}
    </Page>
  );
}

function KeyRow({ sshKey }: { sshKey: SshKeyWire }) {
  const [asking, setAsking] = useState(false);
  const queryClient = useQueryClient();
  const remove = useMutation({
    mutationFn: () => deleteSshKey(sshKey.id),
    onSuccess: async () => {
      setAsking(false);
      await queryClient.invalidateQueries(sshKeysQuery);
    },
  });
  return (
    <li className="flex items-center justify-between gap-4 p-4 sm:px-5">
      <div className="min-w-0">
        <p className="truncate font-[600]">{sshKey.name}</p>
        <p className="truncate font-mono text-sm text-soft">{sshKey.fingerprint}</p>
        <p className="text-sm text-soft">
          Added <Time at={sshKey.created} />
        </p>
      </div>
      <Button
        look="secondary"
        size="small"
        aria-label={`Remove ${sshKey.name}`}
        onClick={() => setAsking(true)}
      >
        Remove
      </Button>
      <ConfirmDialog
        open={asking}
        onOpenChange={setAsking}
        title={`Remove ${sshKey.name}?`}
        confirm="Remove"
        look="danger"
        busy={remove.isPending}
        onConfirm={() => remove.mutate()}
      >
        <p>New servers will not let it in any more. Servers that have it keep it.</p>
        {remove.error && <ErrorPanel error={remove.error} />}
      </ConfirmDialog>
    </li>
  );
}
