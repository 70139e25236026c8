import { listRecipes, readCookedImage } from '#libs/images/cook';
import { CliError } from '../cli.errors.ts';
import { withInstallation } from '../installation.ts';
import { publishCookedImage } from '../publish-cooked-image.ts';
import type { Step } from './step.ts';

/** Brings each image that is cooked to the pools of all hosts; one that is there is left alone. */
export const publishImagesStep: Step = {
  title: 'Images in the pools of all hosts',
  log: 'lab',
  async run(up, progress) {
    return withInstallation(async (installation) => {
      for (const recipe of await listRecipes(up.catalogFolder)) {
        const cooked = await readCookedImage(up.imagesFolder, recipe.name);
        if (cooked?.manifest.recipe.sha256 !== recipe.sha256) continue;
        const { failures } = await publishCookedImage(installation, recipe, cooked, progress);
        const [failure] = failures;
        if (failure)
          throw new CliError('image_missing', `${recipe.name} to ${failure.host}: ${failure.message}`);
      }
      return undefined;
    }, up.environment());
  },
};
