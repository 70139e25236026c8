import {
  type ComponentsWire,
  type ComponentWire,
  filesFaults,
  type RecipeFault,
  type RecipeSpec,
  twinFaults,
  unitFaults,
} from '#libs/contracts';
import { withRequired } from '#libs/kernel';
import type { RecipeDraft } from './read-recipe.ts';

type Parts = Pick<ComponentsWire, 'bases' | 'components'>;

/** Which of the chosen components, or of what comes with them, cannot be in one image with this one. */
export function rivalOf(
  component: ComponentWire,
  chosen: readonly string[],
  parts: Parts,
): ComponentWire | undefined {
  const own = withRequired([component.name], parts.components);
  return withRequired(chosen, parts.components).find((other) =>
    own.some(
      ({ name, conflicts }) =>
        name !== other.name && (conflicts.includes(other.name) || other.conflicts.includes(name)),
    ),
  );
}

/** What the smallest server of a recipe has: as much as the hungriest of its parts wants. */
export function needsOf(
  { base, components, memoryMib, diskGib }: RecipeDraft,
  parts: Parts,
): { memoryMib: number; diskGib: number } {
  const minimum = parts.bases.find(({ name }) => name === base)?.minimum;
  const wanted = withRequired(components, parts.components).map((component) => component.memory_mib);
  return {
    memoryMib: Math.max(memoryMib, minimum?.memory_mib ?? 0, ...wanted),
    diskGib: Math.max(diskGib, minimum?.disk_gib ?? 0),
  };
}

/** What is wrong with a recipe whose fields are right by themselves, as far as a page can tell; the API looks at all of it. */
export function checkParts(spec: RecipeSpec, parts: Parts): RecipeFault[] {
  const { base, components, packages, files, services } = spec;
  const isKnown = (name: string) => parts.components.some((component) => component.name === name);
  const unknown = components.flatMap((name, index) =>
    isKnown(name) ? [] : [{ path: ['components', index], message: `there is no component ${name}` }],
  );
  return [
    ...(parts.bases.some(({ name }) => name === base)
      ? []
      : [{ path: ['base'], message: `there is no base ${base}` }]),
    ...unknown,
    ...rivals(components, parts),
    ...twinFaults(components, ['components']),
    ...twinFaults(packages, ['packages']),
    ...twinFaults(
      files.map(({ path }) => path),
      ['files'],
    ),
    ...unitFaults(services),
    ...filesFaults(files),
    ...takenPorts(spec, parts),
  ];
}

function rivals(components: readonly string[], parts: Parts): RecipeFault[] {
  return withRequired(components, parts.components).flatMap((component) => {
    const index = components.indexOf(component.name);
    const rival = index < 0 ? undefined : rivalOf(component, components.slice(0, index), parts);
    if (!rival) return [];
    const message = `${component.name} and ${rival.name} cannot be in one image`;
    return [{ path: ['components', index], message }];
  });
}

/** Two cannot listen at one port. */
function takenPorts(spec: RecipeSpec, parts: Parts): RecipeFault[] {
  const key = ({ port, protocol }: RecipeSpec['ports'][number]) =>
    `${port}/${protocol === 'udp' ? 'udp' : 'tcp'}`;
  const base = parts.bases.find(({ name }) => name === spec.base);
  const taken = new Map(base?.ports.map((port) => [key(port), base.name]));
  for (const { name, ports } of withRequired(spec.components, parts.components)) {
    for (const port of ports) taken.set(key(port), name);
  }
  return spec.ports.flatMap((port, index) => {
    const owner = taken.get(key(port));
    taken.set(key(port), 'this recipe');
    const message = `port ${key(port)} is ${owner}’s already`;
    return owner === undefined ? [] : [{ path: ['ports', index, 'port'], message }];
  });
}
