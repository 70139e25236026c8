import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { OrderWire } from '#libs/contracts';
import { deleteServer } from '../../api/servers.ts';
import { Button } from '../../components/button.tsx';
import { ConfirmDialog } from '../../components/dialogs.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';

/** Takes an order back while its server is being made. */
export function CancelOrder({ order }: { order: OrderWire }) {
  const [asking, setAsking] = useState(false);
  const queryClient = useQueryClient();
  const cancel = useMutation({
    mutationFn: () => deleteServer(order.server_id),
    onSuccess: async () => {
      setAsking(false);
      await Promise.all(
        ['orders', 'servers'].map((key) => queryClient.invalidateQueries({ queryKey: [key] })),
      );
    },
  });
  return (
    <>
      <Button look="secondary" size="small" onClick={() => setAsking(true)}>
        Cancel this order
      </Button>
      <ConfirmDialog
        open={asking}
        onOpenChange={setAsking}
        title="Cancel this order?"
        confirm="Cancel the order"
        keep="Keep it"
        look="danger"
        busy={cancel.isPending}
        onConfirm={() => cancel.mutate()}
      >
        <p>
          What has been set up is taken back and the hold on your card is released. You pay nothing, unless
          the server is finished this very moment.
        </p>
        {cancel.error && <ErrorPanel error={cancel.error} title="It was not cancelled" />}
      </ConfirmDialog>
    </>
  );
}
