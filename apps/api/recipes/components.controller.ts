import { Controller, Get, Inject } from '@nestjs/common';
import { componentsResponse, RECIPE_LIMITS } from '#libs/contracts';
import { RECIPE_SETTINGS, type RecipeSettings, Shelf } from '#libs/recipes';
import { Endpoint } from '../http/endpoint.ts';
import { presentBase, presentComponent } from './recipe.presenter.ts';

@Controller('v1/components')
export class ComponentsController {
  constructor(
    private readonly shelf: Shelf,
    @Inject(RECIPE_SETTINGS) private readonly settings: RecipeSettings,
  ) {}

  @Get()
  @Endpoint({
    summary: 'What recipes may be made of: bases, components, and how much of each part',
    access: 'public',
    response: componentsResponse,
  })
  async list() {
    const { bases, components } = await this.shelf.stock();
    return {
      bases: [...bases.values()].map(presentBase),
      components: [...components.values()].map(presentComponent),
      limits: {
        recipes: this.settings.recipesPerProject,
        components: RECIPE_LIMITS.components,
        packages: RECIPE_LIMITS.packages,
        files: RECIPE_LIMITS.files,
        file_bytes: RECIPE_LIMITS.fileBytes,
        files_bytes: RECIPE_LIMITS.filesBytes,
        script_bytes: RECIPE_LIMITS.scriptBytes,
        units: RECIPE_LIMITS.units,
        ports: RECIPE_LIMITS.ports,
        health_checks: RECIPE_LIMITS.healthChecks,
        yaml_bytes: RECIPE_LIMITS.yamlBytes,
      },
    };
  }
}
