import type { ComponentWire, RecipeBaseWire, RecipeSummaryWire, RecipeWire } from '#libs/contracts';
import type { Component, Recipe } from '#libs/images/recipe';
import { type ListedRecipe, printRecipeYaml, type RecipeInVersion } from '#libs/recipes';
import { presentSecrets } from '../catalog/image.presenter.ts';
import { wireTime } from '../http/wire.ts';

export function presentRecipe({ recipe, version, ...standing }: RecipeInVersion): RecipeWire {
  const { title, ...spec } = version.spec;
  return {
    ...spec,
    id: recipe.id,
    title: title ?? spec.name,
    version: version.version,
    created: wireTime(recipe.createdAt),
    updated: wireTime(version.createdAt),
    ...presentStanding(standing),
    yaml: printRecipeYaml(version.spec),
  };
}

export function presentListed({ recipe, outline, ...standing }: ListedRecipe): RecipeSummaryWire {
  const { name, title = name, summary, base, components, packages } = outline;
  return {
    ...{ id: recipe.id, name, title, summary, base, components, packages, version: recipe.version },
    created: wireTime(recipe.createdAt),
    updated: wireTime(recipe.updatedAt),
    ...presentStanding(standing),
  };
}

function presentStanding({ newestCook, imageId }: Pick<RecipeInVersion, 'newestCook' | 'imageId'>) {
  return {
    newest_cook: newestCook && {
      id: newestCook.id,
      status: newestCook.state,
      version: newestCook.version,
    },
    image: imageId,
  };
}

export function presentBase(base: Recipe): RecipeBaseWire {
  const { name, title, summary, osFlavor, osVersion, ports, minimum } = base;
  return {
    ...{ name, title, summary, os_flavor: osFlavor, os_version: osVersion, ports: [...ports] },
    minimum: { memory_mib: minimum.memoryMib, disk_gib: minimum.diskGib },
  };
}

export function presentComponent(component: Component): ComponentWire {
  const { name, title, summary, category, packages, services, files, ports, health } = component;
  return {
    ...{ name, title, summary, category, packages: [...packages], services: [...services.enable] },
    files: files.map(({ path, mode, owner, group }) => ({ path, mode, owner, group })),
    ...{ ports: [...ports], health: [...health] },
    conflicts: [...component.conflicts],
    requires: [...component.requires],
    secrets: presentSecrets(component),
    memory_mib: component.memoryMib,
  };
}
