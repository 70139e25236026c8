import type { DynamicModule } from '@nestjs/common';
import type { Environment } from '#libs/config';
import { recipeSettings, Shelf } from '#libs/recipes';
import type { RecipeDeps } from '#libs/workflows';
import { Kitchen } from './kitchen.ts';
import { Leavings } from './leavings.ts';

/** What the cooks of customers' recipes work with: `RecipeDeps`. */
export const COOKING = Symbol('RecipeDeps');

class CookingModule {}

/** The kitchen of this machine, and what is swept up in it. */
export function cookingModule(environment: Environment): DynamicModule {
  const settings = recipeSettings(environment);
  const kitchen = new Kitchen({
    folder: environment.SERVERY_COOKS_DIR,
    mirror: environment.SERVERY_APT_MIRROR,
    cookMinutes: settings.cookMinutes,
  });
  const shelf = new Shelf(environment.SERVERY_CATALOG_DIR);
  const deps: RecipeDeps = { shelf, kitchen, settings };
  return {
    module: CookingModule,
    providers: [{ provide: COOKING, useValue: deps }, { provide: Kitchen, useValue: kitchen }, Leavings],
    exports: [COOKING, Leavings],
  };
}
