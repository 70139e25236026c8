import type { RecipeSpec } from '#libs/contracts';
import type { Appliance } from '#libs/images';
import {
  addUnits,
  applianceOf,
  type Component,
  deriveRecipe,
  type OwnRecipe,
  type Recipe,
  type RecipeContent,
} from '#libs/images/recipe';
import { withRequired } from '#libs/kernel';
import { checkRecipe, contentOf } from './check-recipe.ts';
import { FIRST_BOOT } from './image-paths.ts';
import { recipeInvalid } from './recipes.errors.ts';
import type { Stock } from './shelf.ts';

/** A recipe of a customer as the cook takes it, and what is told of its images. */
export interface ComposedRecipe {
  readonly recipe: Recipe;
  readonly appliance: Appliance;
}

const FILE = { owner: 'root', group: 'root', early: false } as const;
const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48"><rect width="48" height="48" rx="11" fill="#475569"/>' +
  '<path d="M13 21h22v9a8 8 0 0 1-8 8h-6a8 8 0 0 1-8-8zm4-9v5m7-7v7m7-5v5" fill="none" stroke="#fff" stroke-width="3" ' +
  'stroke-linecap="round" stroke-linejoin="round"/></svg>';

/**
 * Puts a recipe together: its base, then its components, then what is its own, which wins. The same recipe makes the same
 * image whosever it is: nothing of its owner, and no id, goes into it.
 * @throws DomainError `recipe_invalid`
 */
export function composeRecipe(spec: RecipeSpec, stock: Stock): ComposedRecipe {
  const problems = checkRecipe(spec, stock);
  const base = stock.bases.get(spec.base);
  if (problems.length > 0 || !base) throw recipeInvalid(problems);
  const components = withRequired(spec.components, stock.components.values());
  const recipe = deriveRecipe(base, ownRecipe(spec, base, components));
  const appliance: Appliance = {
    ...applianceOf(recipe),
    billedAs: base.name,
    ...(spec.first_boot_script !== null && { runsFirstBoot: true }),
  };
  return { recipe, appliance };
}

function ownRecipe(spec: RecipeSpec, base: Recipe, components: readonly Component[]): OwnRecipe {
  const { name, summary } = spec;
  const title = spec.title ?? name;
  const from = <T>(part: (component: Component) => readonly T[]) => components.flatMap(part);
  const ofComponents = {
    enable: from((component) => component.services.enable),
    disable: from((component) => component.services.disable),
    mask: from((component) => component.services.mask),
  };
  const partFiles = from((component) => component.files);
  const early = new Set([...base.files, ...partFiles].filter((file) => file.early).map(({ path }) => path));
  const services = addUnits(ofComponents, spec.services);
  const firstBoot = firstBootFiles(spec, [...base.services.enable, ...services.enable]);
  return {
    ...{ schema: 1, name, title, summary, description: summary, category: 'own', iconSvg: ICON },
    ...{ osFlavor: base.osFlavor, osVersion: base.osVersion },
    licence: [...new Set(components.map(({ licence }) => licence)), COPYRIGHTS].join('; '),
    minimum: {
      memoryMib: Math.max(
        base.minimum.memoryMib,
        ...components.map(({ memoryMib }) => memoryMib),
        spec.minimum.memory_mib,
      ),
      diskGib: Math.max(base.minimum.diskGib, spec.minimum.disk_gib),
    },
    packages: [...new Set([...from((component) => component.packages), ...spec.packages])],
    files: lastByPath([...partFiles, ...spec.files.map((file) => ownFile(file, early)), ...firstBoot]),
    remove: [...new Set(from((component) => component.remove))],
    services: {
      ...services,
      enable: [...new Set([...services.enable, ...(firstBoot.length > 0 ? [FIRST_BOOT.unit] : [])])],
    },
    ports: [...from((component) => component.ports), ...spec.ports],
    health: [...from((component) => component.health), ...spec.health],
    secrets: from((component) => component.secrets),
  };
}

const COPYRIGHTS = 'see /usr/share/doc/*/copyright in the image';

/** In place of one that packages read while they are configured, it is there by then as well. */
function ownFile(file: RecipeSpec['files'][number], early: ReadonlySet<string>): RecipeContent {
  const { path, mode, owner, group } = file;
  return { path, mode, owner, group, early: early.has(path), content: contentOf(file) };
}

/** Of two with one path the last one wins. */
function lastByPath(files: readonly RecipeContent[]): RecipeContent[] {
  return [...new Map(files.map((file) => [file.path, file])).values()];
}

/** What runs the owner's script once on each server, when all else that the recipe starts is there. */
function firstBootFiles(
  { first_boot_script: script }: RecipeSpec,
  units: readonly string[],
): RecipeContent[] {
  if (script === null) return [];
  const text = script.startsWith('#!') ? script : `#!/bin/sh\n${script}`;
  return [
    { ...FILE, path: FIRST_BOOT.scriptPath, mode: '0700', content: Buffer.from(text) },
    { ...FILE, path: FIRST_BOOT.unitPath, mode: '0644', content: Buffer.from(firstBootUnit(units)) },
  ];
}

/** Started when the server has its name, address and secrets; what fails is not tried again by itself. */
function firstBootUnit(units: readonly string[]): string {
  const after = ['cloud-init.service', 'network-online.target', ...units].filter(
    (unit) => unit !== FIRST_BOOT.unit,
  );
  return [
    '[Unit]',
    'Description=The first boot script of the recipe',
    `ConditionPathExists=!${FIRST_BOOT.donePath}`,
    'Wants=network-online.target',
    ...[...new Set(after)].map((unit) => `After=${unit}`),
    '',
    '[Service]',
    'Type=oneshot',
    'RemainAfterExit=yes',
    'Environment=HOME=/root',
    'WorkingDirectory=/root',
    `ExecStart=${FIRST_BOOT.scriptPath}`,
    `ExecStartPost=/usr/bin/install -D /dev/null ${FIRST_BOOT.donePath}`,
    `TimeoutStartSec=${FIRST_BOOT_SECONDS}`,
    '',
    '[Install]',
    'WantedBy=multi-user.target',
    '',
  ].join('\n');
}

/** A server that is not ready by then is given up in any case. */
const FIRST_BOOT_SECONDS = 600;
