import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useId, useState } from 'react';
import type { ServerTypeWire, ServerWire } from '#libs/contracts';
import { catalogQuery, serverTypesQuery } from '../../api/catalog.ts';
import { newIdempotencyKey } from '../../api/client.ts';
import { changeServerType } from '../../api/servers.ts';
import { CheckBox } from '../../components/check-box.tsx';
import { Choice, ChoiceGroup } from '../../components/choice.tsx';
import { ConfirmDialog } from '../../components/dialogs.tsx';
import { DocketLine } from '../../components/docket.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { formatCount, formatGb, formatHourly, formatPrice } from '../../format.ts';

/** Makes a server larger or smaller, and says what it costs before and after. */
export function ResizeDialog({ server, close }: { server: ServerWire; close: () => void }) {
  const queryClient = useQueryClient();
  const { data: types, error, refetch } = useQuery(serverTypesQuery);
  const [chosen, setChosen] = useState<ServerTypeWire>();
  const [growsDisk, setGrowsDisk] = useState(false);
  // One key for one intention: another size is another one.
  const [idempotencyKey, setIdempotencyKey] = useState(newIdempotencyKey);
  const isOff = server.status === 'off';
  const canGrow = chosen !== undefined && chosen.disk > server.primary_disk_size;
  const resize = useMutation({
    mutationFn: (type: ServerTypeWire) => {
      const upgrade_disk = canGrow && growsDisk;
      return changeServerType(
        server.id,
        { server_type: type.name, upgrade_disk, restart: !isOff },
        idempotencyKey,
      );
    },
    onSuccess: async () => {
      close();
      await queryClient.invalidateQueries({ queryKey: ['servers'] });
    },
  });
  const change = (apply: () => void) => {
    apply();
    setIdempotencyKey(newIdempotencyKey());
    resize.reset();
  };
  return (
    <ConfirmDialog
      open
      onOpenChange={close}
      title={`Resize ${server.name}`}
      confirm={isOff ? 'Resize and start it' : 'Restart and resize it'}
      busy={resize.isPending}
      disabled={!chosen}
      onConfirm={() => chosen && resize.mutate(chosen)}
    >
      <p>
        {isOff
          ? 'It is started afterwards.'
          : 'It is shut down for this and started again: it is away for about a minute.'}
      </p>
      {error && !types && <ErrorPanel error={error} retry={refetch} title="The sizes could not be loaded" />}
      {!types && !error && <Skeleton className="mb-2 h-14" count={2} />}
      {types && (
        <Sizes
          server={server}
          types={types}
          value={chosen}
          onChange={(type) => change(() => setChosen(type))}
        />
      )}
      {canGrow && (
        <CheckBox
          label={`Grow its disk too, from ${formatGb(server.primary_disk_size)} to ${formatGb(chosen.disk)}. A disk cannot shrink, so it can be made no smaller then.`}
          checked={growsDisk}
          onChange={(grows) => change(() => setGrowsDisk(grows))}
        />
      )}
      {chosen && <Prices server={server} to={chosen} />}
      {resize.error && <ErrorPanel error={resize.error} title="It was not resized" />}
    </ConfirmDialog>
  );
}

interface SizesProps {
  readonly server: ServerWire;
  readonly types: readonly ServerTypeWire[];
  readonly value: ServerTypeWire | undefined;
  readonly onChange: (type: ServerTypeWire | undefined) => void;
}

function Sizes({ server, types, value, onChange }: SizesProps) {
  const titleId = useId();
  const others = types.filter(({ id }) => id !== server.server_type.id);
  return (
    <div>
      <p id={titleId} className="mb-2 text-sm font-[550] text-ink">
        Which size?
      </p>
      <ChoiceGroup
        labelledBy={titleId}
        value={value?.name ?? ''}
        onChange={(name) => onChange(others.find((type) => type.name === name))}
        className="grid gap-2"
      >
        {others.map((type) => (
          <Choice key={type.id} value={type.name} disabled={type.disk < server.primary_disk_size}>
            <span className="block font-[600] text-ink">
              {type.name} <span className="font-normal text-soft">· {type.description}</span>
            </span>
            <span className="block text-sm text-soft">
              {type.disk < server.primary_disk_size
                ? `Its disk has ${formatGb(type.disk)}, less than this server’s.`
                : `${formatCount(type.cores, 'vCPU')}, ${formatGb(type.memory)} memory, up to ${formatGb(type.disk)} disk`}
            </span>
          </Choice>
        ))}
      </ChoiceGroup>
    </div>
  );
}

function Prices({ server, to }: { server: ServerWire; to: ServerTypeWire }) {
  const { data: catalog } = useQuery(catalogQuery);
  const priceOf = (type: ServerTypeWire) =>
    type.prices.find(({ location }) => location === server.location.name);
  const [before, after] = [priceOf(server.server_type), priceOf(to)];
  if (!catalog || !before || !after) return null;
  const { currency } = catalog;
  const words = ({ price_hourly, price_monthly }: typeof before) =>
    `${formatHourly(price_hourly.gross, currency)} an hour, at most ${formatPrice(price_monthly.gross, currency)} a month`;
  return (
    <dl aria-live="polite" className="rounded-control bg-sunken p-3 text-sm" data-testid="prices">
      <DocketLine label="Now">{words(before)}</DocketLine>
      <DocketLine label="Then" strong>
        {words(after)}
      </DocketLine>
    </dl>
  );
}
