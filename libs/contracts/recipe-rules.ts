import { INSTEAD_OF_FILES, RECIPE_LIMITS, type RecipeSpec } from './recipe-spec.ts';

/** Runs a recipe's first boot script on each server of it. */
export const FIRST_BOOT_UNIT = 'servery-first-boot.service';

/** What becomes of a unit. */
export type UnitList = keyof RecipeSpec['services'];
export const UNIT_LISTS: readonly UnitList[] = ['enable', 'disable', 'mask'];

/** Something that is wrong with a recipe whose fields are each as they must be, and where: `['services', 'mask', 0]`. */
export interface RecipeFault {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** Each that stands in a list at `path` for another time; `within`: the part of it that is the same. */
export function twinFaults(
  values: readonly string[],
  path: RecipeFault['path'],
  ...within: RecipeFault['path']
): RecipeFault[] {
  return values.flatMap((value, index) =>
    values.indexOf(value) < index
      ? [{ path: [...path, index, ...within], message: `${value} stands here twice` }]
      : [],
  );
}

/** Units that are named twice, are to start and not to start, or are not the owner's to stop. */
export function unitFaults(services: Readonly<Record<UnitList, readonly string[]>>): RecipeFault[] {
  const off = ['disable', 'mask'] as const;
  const halfEnabled = services.enable.flatMap((unit, index) =>
    off.some((list) => services[list].includes(unit))
      ? [{ path: ['services', 'enable', index], message: `${unit} is disabled or masked as well` }]
      : [],
  );
  const ours = off.flatMap((list) =>
    services[list].flatMap((unit, index) =>
      unit === FIRST_BOOT_UNIT ? [{ path: ['services', list, index], message: NOT_TO_STOP }] : [],
    ),
  );
  const twins = UNIT_LISTS.flatMap((list) => twinFaults(services[list], ['services', list]));
  return [...twins, ...halfEnabled, ...ours];
}

const NOT_TO_STOP = 'runs the first boot script: leave first_boot_script out instead';

/** How large a file of a recipe is in the image, in bytes. */
export function fileBytesOf({
  content,
  content_base64: encoded = '',
}: Partial<Pick<RecipeSpec['files'][number], 'content' | 'content_base64'>>): number {
  if (content !== undefined) return new TextEncoder().encode(content).byteLength;
  return Math.floor((encoded.replace(/=+$/, '').length * 3) / 4);
}

/** That the files of a recipe are too large together, which is wrong with all of them. */
export function filesFaults(files: readonly Parameters<typeof fileBytesOf>[0][]): RecipeFault[] {
  const bytes = files.reduce((sum, file) => sum + fileBytesOf(file), 0);
  if (bytes <= RECIPE_LIMITS.filesBytes) return [];
  const message = `must have at most ${RECIPE_LIMITS.filesBytes / 1024} KiB together, and have ${kib(bytes)}: ${INSTEAD_OF_FILES}`;
  return [{ path: ['files'], message }];
}

/**
 * Why this is too much YAML for a recipe; undefined where it is not. What each part may have fits together, but for text of little
 * else than escapes and line ends.
 */
export function whyYamlTooLarge(yaml: string): string | undefined {
  const { byteLength } = new TextEncoder().encode(yaml);
  if (byteLength <= RECIPE_LIMITS.yamlBytes) return undefined;
  return `the recipe must have at most ${RECIPE_LIMITS.yamlBytes / 1024} KiB as YAML, and has ${kib(byteLength)}: ${INSTEAD_OF_FILES}`;
}

function kib(bytes: number): string {
  return `${Math.ceil(bytes / 1024)} KiB`;
}
