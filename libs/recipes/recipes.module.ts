import type { DynamicModule } from '@nestjs/common';
import { ImagesModule } from '#libs/images';
import { OrdersModule } from '#libs/orders';
import { Cook } from './cook.entity.ts';
import { CookRequests } from './cook-requests.ts';
import { CooksService } from './cooks.service.ts';
import { ProjectRecipe, RecipeVersion } from './recipe.entity.ts';
import { RECIPE_SETTINGS, type RecipeVariables, recipeSettings } from './recipe-settings.ts';
import { RecipesService } from './recipes.service.ts';
import { Shelf } from './shelf.ts';
import { UpgradesService } from './upgrades.service.ts';

/** Tables of this feature, for the app's data source. */
export const recipesEntities = [ProjectRecipe, RecipeVersion, Cook];

class RecipesModule {}

/** Needs `SagaStore` and `SagaQueue`, which the app provides globally. */
export function recipesModule(environment: RecipeVariables): DynamicModule {
  return {
    module: RecipesModule,
    imports: [ImagesModule, OrdersModule],
    providers: [
      CookRequests,
      CooksService,
      RecipesService,
      UpgradesService,
      { provide: Shelf, useValue: new Shelf(environment.SERVERY_CATALOG_DIR) },
      { provide: RECIPE_SETTINGS, useValue: recipeSettings(environment) },
    ],
    exports: [CookRequests, CooksService, RecipesService, Shelf, UpgradesService, RECIPE_SETTINGS],
  };
}
