import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { FileKey2, Plus } from 'lucide-react';
import { useState } from 'react';
import type { ApiTokenWire } from '#libs/contracts';
import { apiTokensQuery, revokeApiToken } from '../../api/account.ts';
import { Button } from '../../components/button.tsx';
import { ConfirmDialog } from '../../components/dialogs.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Page } from '../../components/page.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { Cell, Table } from '../../components/table.tsx';
import { Time } from '../../components/time.tsx';
import { CreateTokenDialog } from './create-token-dialog.tsx';

export function TokensPage() {
  const [creating, setCreating] = useState(false);
  const { data: tokens, error, isPending, refetch } = useQuery(apiTokensQuery);
  const create = (
    <Button onClick={() => setCreating(true)}>
      <Plus aria-hidden="true" className="size-4" /> Create a token
    </Button>
  );
  return (
    <Page
      title="API tokens"
      lead="With a token, programs order and manage servers for you: the hcloud command, Terraform, Ansible or your own."
      actions={tokens && tokens.length > 0 && create}
    >
      {error && <ErrorPanel error={error} retry={refetch} title="Your tokens could not be loaded" />}
      {isPending && <Skeleton className="h-32" />}
      {tokens?.length === 0 && (
        <EmptyState icon={FileKey2} title="No tokens yet" action={create}>
          A token belongs to one project and may read, or read and write.
        </EmptyState>
      )}
      {tokens && tokens.length > 0 && (
        <Table caption="API tokens" columns={['Name', 'May', 'Ends in', 'Created', 'Last used', '']}>
          {tokens.map((token) => (
            <TokenRow key={token.id} token={token} />
          ))}
        </Table>
      )}
      {creating && <CreateTokenDialog close={() => setCreating(false)} />}
    </Page>
  );
}

function TokenRow({ token }: { token: ApiTokenWire }) {
  const [asking, setAsking] = useState(false);
  const queryClient = useQueryClient();
  const revoke = useMutation({
    mutationFn: () => revokeApiToken(token.id),
    onSuccess: async () => {
      setAsking(false);
      await queryClient.invalidateQueries(apiTokensQuery);
    },
  });
  return (
    <tr>
      <Cell className="font-[600]">{token.name}</Cell>
      <Cell className="whitespace-nowrap">
        {token.access === 'read' ? 'read' : 'read and write'}
        {token.sees_money && ', see money'}
      </Cell>
      <Cell className="font-mono text-sm">…{token.last4}</Cell>
      <Cell className="whitespace-nowrap text-soft">
        <Time at={token.created} />
      </Cell>
      <Cell className="whitespace-nowrap text-soft">
        {token.last_used ? <Time at={token.last_used} /> : 'never'}
      </Cell>
      <Cell className="text-right">
        {token.revoked ? (
          <span className="text-soft">revoked</span>
        ) : (
          <Button
            look="secondary"
            size="small"
            aria-label={`Revoke ${token.name}`}
            onClick={() => setAsking(true)}
          >
            Revoke
          </Button>
        )}
        <ConfirmDialog
          open={asking}
          onOpenChange={setAsking}
          title={`Revoke ${token.name}?`}
          confirm="Revoke"
          look="danger"
          busy={revoke.isPending}
          onConfirm={() => revoke.mutate()}
        >
          <p>Programs that use it are refused at once. This cannot be taken back.</p>
          {revoke.error && <ErrorPanel error={revoke.error} />}
        </ConfirmDialog>
      </Cell>
    </tr>
  );
}
