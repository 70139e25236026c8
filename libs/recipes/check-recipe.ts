import { filesFaults, type RecipeSpec, twinFaults, unitFaults, whyYamlTooLarge } from '#libs/contracts';
import type { AppliancePort } from '#libs/images';
import type { Component } from '#libs/images/recipe';
import { withRequired } from '#libs/kernel';
import { placeOf, whyNotAt } from './image-paths.ts';
import { printRecipeYaml } from './recipe-yaml.ts';
import type { RecipeProblem } from './recipes.errors.ts';
import type { Stock } from './shelf.ts';

/** All that is wrong with a recipe whose fields are each as they must be; whether Debian has its packages shows at the cook. */
export function checkRecipe(spec: RecipeSpec, stock: Stock): RecipeProblem[] {
  const components = withRequired(spec.components, stock.components.values());
  const conflicts = [...conflictsOf(spec, components), ...clashesOf(spec, components, stock)];
  return [
    ...checkNames(spec, stock),
    ...conflicts,
    ...twinFaults(spec.packages, ['packages']),
    ...checkFiles(spec, removedBy(spec, components, stock)),
    ...unitFaults(spec.services),
    // Those that conflict mostly want the same port: it is said once.
    ...(conflicts.length > 0 ? [] : checkPorts(spec, components, stock)),
    ...checkScript(spec),
    ...checkText(spec),
  ];
}

/** The bytes of a file as its owner sent them. */
export function contentOf({
  content,
  content_base64: encoded,
}: Pick<RecipeSpec['files'][number], 'content' | 'content_base64'>): Buffer {
  return encoded === undefined ? Buffer.from(content ?? '') : Buffer.from(encoded, 'base64');
}

function checkNames({ base, components }: RecipeSpec, stock: Stock): RecipeProblem[] {
  const known = [...stock.bases.keys()].join(', ');
  const unknown = components.flatMap((name, index) =>
    stock.components.has(name)
      ? []
      : [{ path: ['components', index], message: `there is no component ${name}: see /v1/components` }],
  );
  return [
    ...(stock.bases.has(base)
      ? []
      : [{ path: ['base'], message: `there is no base ${base}, only ${known || 'none at all'}` }]),
    ...unknown,
    ...twinFaults(components, ['components']),
  ];
}

function conflictsOf(spec: RecipeSpec, components: readonly Component[]): RecipeProblem[] {
  const has = (name: string) => components.some((component) => component.name === name);
  return components.flatMap(({ name, conflicts }) =>
    conflicts.filter(has).map((other) => ({
      path: ['components', ...indexIn(spec.components, name)],
      message: `${name} and ${other} cannot be in one image`,
    })),
  );
}

/** A component that would set a program up otherwise than the base has it would take that from the base. */
function clashesOf(spec: RecipeSpec, components: readonly Component[], stock: Stock): RecipeProblem[] {
  const ofBase = new Map(stock.bases.get(spec.base)?.files.map(({ path, content }) => [path, content]));
  return components.flatMap(({ name, files }) => {
    const clash = files.find(({ path, content }) => ofBase.get(path)?.equals(content) === false);
    if (!clash) return [];
    const message = `${name} cannot be upon ${spec.base}, which has a ${clash.path} of its own`;
    return [{ path: ['components', ...indexIn(spec.components, name)], message }];
  });
}

/** What base and components take out of the image again. */
function removedBy({ base }: RecipeSpec, components: readonly Component[], stock: Stock): string[] {
  return [...(stock.bases.get(base)?.remove ?? []), ...components.flatMap(({ remove }) => remove)];
}

function checkFiles({ files }: RecipeSpec, removed: readonly string[]): RecipeProblem[] {
  const places = files.map(({ path }) => placeOf(path));
  const taken = files.flatMap(({ path }, index) => {
    const why = whyNotAt(path, removed);
    return why === undefined ? [] : [{ path: ['files', index, 'path'], message: `${path} ${why}` }];
  });
  // A file cannot be a folder of another one.
  const within = places.flatMap((place, index) => {
    const above = places.find((other) => place.startsWith(`${other}/`));
    return above === undefined
      ? []
      : [{ path: ['files', index, 'path'], message: `${above} is a file of this recipe, and no folder` }];
  });
  return [...twinFaults(places, ['files'], 'path'), ...taken, ...within, ...filesFaults(files)];
}

/** Two cannot listen at one port; who brings it is told where it is not the recipe itself. */
function checkPorts(spec: RecipeSpec, components: readonly Component[], stock: Stock): RecipeProblem[] {
  const seen = new Map<string, string>();
  const take = (ports: readonly Pick<AppliancePort, 'port' | 'protocol'>[], by: string) =>
    ports.map((port) => {
      const key = `${port.port}/${port.protocol === 'udp' ? 'udp' : 'tcp'}`;
      const other = seen.get(key);
      if (other === undefined) seen.set(key, by);
      return other === undefined ? undefined : `port ${key} is ${other}’s already`;
    });
  take(stock.bases.get(spec.base)?.ports ?? [], spec.base);
  const ofComponents = components.flatMap(({ name, ports }) =>
    take(ports, name).flatMap((message) =>
      message === undefined
        ? []
        : [{ path: ['components', ...indexIn(spec.components, name)], message: `${name}: ${message}` }],
    ),
  );
  const own = take(spec.ports, 'this recipe').flatMap((message, index) =>
    message === undefined ? [] : [{ path: ['ports', index, 'port'], message }],
  );
  return [...ofComponents, ...own];
}

function checkScript({ first_boot_script: script }: RecipeSpec): RecipeProblem[] {
  if (script === null) return [];
  const path = ['first_boot_script'];
  if (script.trim() === '') return [{ path, message: 'must not be empty: leave it out' }];
  const [first = ''] = script.split('\n', 1);
  return first.endsWith('\r')
    ? [{ path, message: 'must have line ends of Unix, and has those of Windows' }]
    : [];
}

/** It is shown, and written anew, as YAML: what does not fit into that could not be changed any more. */
function checkText(spec: RecipeSpec): RecipeProblem[] {
  const why = whyYamlTooLarge(printRecipeYaml(spec));
  return why === undefined ? [] : [{ path: ['files'], message: why }];
}

/** Where a component that came with another one stands nowhere, the list as a whole is meant. */
function indexIn(names: readonly string[], name: string): number[] {
  const index = names.indexOf(name);
  return index < 0 ? [] : [index];
}
