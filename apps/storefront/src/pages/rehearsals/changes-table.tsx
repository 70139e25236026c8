import type { SystemChangesWire } from '#libs/contracts';
import { Cell, Table } from '../../components/table.tsx';
import { formatBytes } from '../../format.ts';

interface Row {
  readonly kind: string;
  readonly name: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** Everything that is different, one in a row. */
export function ChangesTable({ caption, changes }: { caption: string; changes: SystemChangesWire }) {
  const rows = rowsOf(changes);
  if (rows.length === 0) return <p className="text-soft">Nothing is different.</p>;
  return (
    <Table caption={caption} columns={['What', 'Name', 'Before', 'After']}>
      {rows.map(({ kind, name, before, after }) => (
        <tr key={`${kind} ${name}`}>
          <Cell className="text-soft">{kind}</Cell>
          <Cell className="font-medium wrap-anywhere">{name}</Cell>
          <Cell className="wrap-anywhere">{before ?? <span className="text-soft">–</span>}</Cell>
          <Cell className="wrap-anywhere">{after ?? <span className="text-soft">–</span>}</Cell>
        </tr>
      ))}
    </Table>
  );
}

function rowsOf(changes: SystemChangesWire): Row[] {
  const { kernel, packages, services, failed_units: failed, listening, disks } = changes;
  const bytes = (size: number | null) => (size === null ? null : formatBytes(size));
  return [
    ...(kernel ? [{ kind: 'Kernel', name: 'Linux', ...kernel }] : []),
    ...packages.map((one) => ({ kind: 'Package', ...one })),
    ...services.map((one) => ({ kind: 'Service', ...one })),
    ...appearing('Failed unit', failed, 'failed'),
    ...appearing('Port', listening, 'open'),
    ...disks
      .map((disk) => ({
        before: bytes(disk.before_bytes),
        after: bytes(disk.after_bytes),
        name: disk.mount_point,
      }))
      .filter(({ before, after }) => before !== after)
      .map((disk) => ({ kind: 'Disk in use', ...disk })),
  ];
}

function appearing(kind: string, { added, removed }: SystemChangesWire['listening'], word: string): Row[] {
  return [
    ...added.map((name) => ({ kind, name, before: null, after: word })),
    ...removed.map((name) => ({ kind, name, before: word, after: null })),
  ];
}
