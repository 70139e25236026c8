import { useState } from 'react';
import type { PackageChangesWire } from '#libs/contracts';
import { formatCount } from '../format.ts';
import { Button } from './button.tsx';
import { Cell, Table } from './table.tsx';

const SHOWN_AT_FIRST = 8;

/** In which packages something differs from what was before; the first ones, and the rest on demand. */
export function PackageChanges({ caption, changes }: { caption: string; changes: PackageChangesWire }) {
  const [isWhole, setWhole] = useState(false);
  const shown = isWhole ? changes : changes.slice(0, SHOWN_AT_FIRST);
  return (
    <div className="grid gap-4">
      <p className="text-[0.9375rem] text-soft">{summaryOf(changes)}</p>
      {shown.length > 0 && (
        <Table caption={caption} columns={['Package', 'Before', 'After']}>
          {shown.map(({ name, before, after }) => (
            <tr key={name}>
              <Cell className="font-medium wrap-anywhere">{name}</Cell>
              <Cell className="font-mono text-sm wrap-anywhere text-soft">{before ?? 'not there'}</Cell>
              <Cell className="font-mono text-sm wrap-anywhere">{after ?? 'removed'}</Cell>
            </tr>
          ))}
        </Table>
      )}
      {shown.length < changes.length && (
        <Button look="secondary" className="justify-self-start" onClick={() => setWhole(true)}>
          Show all {changes.length}
        </Button>
      )}
    </div>
  );
}

/** `3 packages changed, 1 added, none removed` */
export function summaryOf(changes: PackageChangesWire): string {
  if (changes.length === 0) return 'The same packages in the same versions.';
  const added = changes.filter(({ before }) => before === null).length;
  const removed = changes.filter(({ after }) => after === null).length;
  const changed = changes.length - added - removed;
  const number = (count: number) => (count === 0 ? 'none' : String(count));
  const first = changed === 0 ? 'No package changed' : `${formatCount(changed, 'package')} changed`;
  return `${first}, ${number(added)} added, ${number(removed)} removed.`;
}
