import { SelectField } from '../../components/select-field.tsx';
import { formatGb } from '../../format.ts';
import { setIn } from '../../recipe/edit-recipe.ts';
import type { Workbench } from './use-workbench.ts';

const MEMORIES_MIB = [512, 1024, 2048, 4096, 8192, 16_384];
const DISKS_GIB = [4, 6, 8, 12, 16, 24, 32, 64];

/** The smallest server that the image is for. */
export function NeedsField({ work: { draft, edit } }: { work: Workbench }) {
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      <SelectField
        label="Memory"
        value={String(draft.memoryMib)}
        options={optionsOf(MEMORIES_MIB, draft.memoryMib, (mib) => formatGb(mib / 1024))}
        onChange={(mib) => edit((text) => setIn(text, ['minimum', 'memory_mib'], Number(mib)))}
      />
      <SelectField
        label="Disk"
        value={String(draft.diskGib)}
        options={optionsOf(DISKS_GIB, draft.diskGib, formatGb)}
        onChange={(gib) => edit((text) => setIn(text, ['minimum', 'disk_gib'], Number(gib)))}
        hint="The image's own size; servers have as much or more."
      />
    </div>
  );
}

/** Round ones, and the one that stands in the text. */
function optionsOf(values: readonly number[], current: number, name: (value: number) => string) {
  const all = [...new Set([...values, current])].toSorted((a, b) => a - b);
  return all.map((value) => [String(value), name(value)] as const);
}
