import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useId, useState } from 'react';
import type { ServerWire } from '#libs/contracts';
import { ApiError, newIdempotencyKey } from '../../api/client.ts';
import { cloneServer } from '../../api/servers.ts';
import { Button } from '../../components/button.tsx';
import { CheckBox } from '../../components/check-box.tsx';
import { Choice, ChoiceGroup } from '../../components/choice.tsx';
import { FormDialog } from '../../components/dialogs.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { TextField } from '../../components/text-field.tsx';
import { serverNameProblem } from '../../server-name.ts';

const KINDS = {
  safe: {
    title: 'A machine of its own',
    hint: 'With a new address and new keys, and the same data and passwords. It answers, and opens no connection to anybody until you open its network.',
  },
  exact: {
    title: 'An exact twin',
    hint: 'With the same address and keys too. It runs unplugged, and can take the place of this server once that is deleted.',
  },
} as const;

type Kind = keyof typeof KINDS;

export function CloneDialog({ server, close }: { server: ServerWire; close: () => void }) {
  const titleId = useId();
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const [name, setName] = useState(`${server.name}-copy`);
  const [tried, setTried] = useState(false);
  const [kind, setKind] = useState<Kind>('safe');
  const [holdsTimers, setHoldsTimers] = useState(true);
  const [key] = useState(newIdempotencyKey);
  const order = useMutation({
    mutationFn: () => {
      const isExact = kind === 'exact';
      const body = { name, exact: isExact, ...(isExact ? {} : { hold_timers: holdsTimers }) };
      return cloneServer(server.id, body, key);
    },
    onSuccess: async ({ server: { servery } }) => {
      await queryClient.invalidateQueries({ queryKey: ['servers'] });
      close();
      const orderId = servery.order_id ?? 0;
      await navigate({ to: '/orders/$orderId', params: { orderId } });
    },
  });
  const refused = nameRefusal(order.error);

  function submit(event: FormEvent): void {
    event.preventDefault();
    setTried(true);
    if (serverNameProblem(name) === null && !order.isPending) order.mutate();
  }
  return (
    <FormDialog open onOpenChange={close} title={`Clone ${server.name}`}>
      <form noValidate onSubmit={submit} className="grid gap-5">
        {order.error && !refused && <ErrorPanel error={order.error} title="It was not cloned" />}
        <TextField
          label="Name of the clone"
          name="server-name"
          value={name}
          onValueChange={(typed) => {
            setName(typed);
            order.reset();
          }}
          problem={refused ?? (tried ? serverNameProblem(name) : null)}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          mono
        />
        <div className="grid gap-2">
          <p id={titleId} className="text-soft">
            What is it to be?
          </p>
          <ChoiceGroup
            labelledBy={titleId}
            value={kind}
            onChange={(chosen) => setKind(chosen as Kind)}
            className="grid gap-2"
          >
            {(Object.keys(KINDS) as Kind[]).map((one) => (
              <Choice key={one} value={one}>
                <span className="block font-[600] text-ink">{KINDS[one].title}</span>
                <span className="block text-sm text-soft">{KINDS[one].hint}</span>
              </Choice>
            ))}
          </ChoiceGroup>
        </div>
        {kind === 'safe' && (
          <CheckBox
            label="Hold cron and timers in it until its network is opened"
            checked={holdsTimers}
            onChange={setHoldsTimers}
          />
        )}
        <p className="text-sm text-soft">It costs what this server costs, from when it is ready.</p>
        <div className="flex justify-end gap-2">
          <Button look="secondary" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" busy={order.isPending}>
            Order the clone
          </Button>
        </div>
      </form>
    </FormDialog>
  );
}

function nameRefusal(error: Error | null): string | undefined {
  if (!(error instanceof ApiError)) return undefined;
  if (error.code === 'uniqueness_error') return 'Another server of this project has this name.';
  return error.fields.name;
}
