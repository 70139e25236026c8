import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { ShieldCheck } from 'lucide-react';
import { type FormEvent, useId, useState } from 'react';
import type { CustomerWire, SuspensionWire } from '#libs/contracts';
import {
  liftSuspension,
  type OperatorReason,
  standingQuery,
  suspendAccountFor,
} from '../../api/customers.ts';
import { Button } from '../../components/button.tsx';
import { Choice, ChoiceGroup } from '../../components/choice.tsx';
import { FormDialog } from '../../components/dialogs.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Section } from '../../components/section.tsx';
import { Cell, Table } from '../../components/table.tsx';
import { TextField } from '../../components/text-field.tsx';
import { Time } from '../../components/time.tsx';

const REASON: Readonly<Record<SuspensionWire['reason'], string>> = {
  billing: 'Not paid',
  abuse: 'Abuse',
  operator: 'Your decision',
};

/** Why an account is suspended, and the ways to suspend it and to lift that again. */
export function StandingSection({ customer }: { customer: CustomerWire }) {
  const { data: standing, error, refetch } = useQuery(standingQuery(customer.id));
  const [suspending, setSuspending] = useState(false);
  return (
    <Section
      title="Suspension"
      hint="Servers are switched off and unplugged for as long as any reason stands."
      actions={
        <Button look="danger" size="small" onClick={() => setSuspending(true)}>
          Suspend
        </Button>
      }
    >
      {error && <ErrorPanel error={error} retry={refetch} title="The suspensions could not be loaded" />}
      {standing?.length === 0 && <EmptyState icon={ShieldCheck} title="Nothing stands against it" />}
      {standing && standing.length > 0 && (
        <Table caption="Suspensions" columns={['Reason', 'Told the customer', 'Since', '']}>
          {standing.map((one) => (
            <StandingRow key={one.reason} customerId={customer.id} suspension={one} />
          ))}
        </Table>
      )}
      {suspending && <SuspendDialog customer={customer} close={() => setSuspending(false)} />}
    </Section>
  );
}

function StandingRow({ customerId, suspension }: { customerId: number; suspension: SuspensionWire }) {
  const { reason, note, since } = suspension;
  const queryClient = useQueryClient();
  const lift = useMutation({
    mutationFn: (lifted: OperatorReason) => liftSuspension(customerId, lifted),
    onSuccess: ({ suspensions }) => queryClient.setQueryData(standingQuery(customerId).queryKey, suspensions),
  });
  return (
    <tr>
      <Cell className="font-[600] whitespace-nowrap">{REASON[reason]}</Cell>
      <Cell>{note}</Cell>
      <Cell className="whitespace-nowrap text-soft">
        <Time at={since} />
      </Cell>
      <Cell className="text-right">
        {reason === 'billing' ? (
          <span className="text-sm text-soft">ends when it pays</span>
        ) : (
          <Button
            look="secondary"
            size="small"
            aria-label={`Lift: ${REASON[reason]}`}
            busy={lift.isPending}
            onClick={() => lift.mutate(reason)}
          >
            Lift
          </Button>
        )}
        {lift.error && (
          <p role="alert" className="mt-1 text-sm text-bad">
            {lift.error.message}
          </p>
        )}
      </Cell>
    </tr>
  );
}

function SuspendDialog({ customer, close }: { customer: CustomerWire; close: () => void }) {
  const queryClient = useQueryClient();
  const reasonId = useId();
  const [reason, setReason] = useState<OperatorReason>('abuse');
  const [note, setNote] = useState('');
  const suspend = useMutation({
    mutationFn: () => suspendAccountFor(customer.id, { reason, note: note.trim() }),
    onSuccess: ({ suspensions }) => {
      queryClient.setQueryData(standingQuery(customer.id).queryKey, suspensions);
      close();
    },
  });

  function submit(event: FormEvent): void {
    event.preventDefault();
    suspend.mutate();
  }
  return (
    <FormDialog open onOpenChange={close} title={`Suspend ${customer.email}`}>
      <form noValidate onSubmit={submit} className="grid gap-5">
        {suspend.error && <ErrorPanel error={suspend.error} title="It was not suspended" />}
        <p className="text-soft">
          All servers of the account are switched off and unplugged at once, and its owner gets a mail.
          Nothing is deleted.
        </p>
        <div className="grid gap-2">
          <p id={reasonId} className="text-sm font-[550]">
            Reason
          </p>
          <ChoiceGroup labelledBy={reasonId} value={reason} onChange={setReason}>
            <Choice value="abuse">Abuse</Choice>
            <Choice value="operator">Your decision</Choice>
          </ChoiceGroup>
        </div>
        <TextField
          label="What is wrong, for the customer"
          name="note"
          multiline
          value={note}
          onValueChange={setNote}
          autoComplete="off"
          maxLength={1000}
        />
        <div className="flex justify-end gap-2">
          <Button look="secondary" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" look="danger" busy={suspend.isPending}>
            Suspend
          </Button>
        </div>
      </form>
    </FormDialog>
  );
}
