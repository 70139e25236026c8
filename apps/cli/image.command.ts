import { resolve } from 'node:path';
import type { Command } from 'commander';
import {
  type CookedImage,
  cookImage,
  listRecipes,
  loadRecipe,
  type Recipe,
  readCookedImage,
} from '#libs/images/cook';
import { type Installation, withInstallation } from './installation.ts';
import { publishCookedImage } from './publish-cooked-image.ts';

export function registerImage(program: Command): void {
  const image = program.command('image').description('the golden images');
  image
    .command('cook <name>')
    .description('build an appliance of the catalog and bring it to every host')
    .option('--force', 'also when recipe and packages are unchanged')
    .action((name: string, options: { force?: boolean }) => cook(name, options.force === true));
  image.command('publish').description('bring the cooked images to hosts that lack them').action(publishAll);
  image.command('list').description('the appliances of the catalog and what is cooked of them').action(list);
}

const catalogOf = ({ environment }: Installation) => resolve(environment.SERVERY_CATALOG_DIR);

async function cook(name: string, force: boolean): Promise<void> {
  await withInstallation(async (installation) => {
    const recipe = await loadRecipe(catalogOf(installation), name);
    const cooked = await cookImage({
      recipe,
      force,
      outputDir: resolve(installation.environment.SERVERY_IMAGES_DIR),
      mirror: installation.environment.SERVERY_APT_MIRROR,
      onProgress: ({ percent, message }) => say(`${Math.floor(percent)} % ${message}`),
    });
    say(`${cooked.unchanged ? 'unchanged' : 'cooked'}: ${cooked.diskPath}, SHA-256 ${cooked.sha256}`);
    await publish(installation, recipe);
  });
}

async function publishAll(): Promise<void> {
  await withInstallation(async (installation) => {
    for (const recipe of await listRecipes(catalogOf(installation))) await publish(installation, recipe);
  });
}

async function publish(installation: Installation, recipe: Recipe): Promise<void> {
  const cooked = await readCookedImage(resolve(installation.environment.SERVERY_IMAGES_DIR), recipe.name);
  if (!cooked) return say(`${recipe.name} is not cooked yet: servery image cook ${recipe.name}`);
  const { image, isCurrent, failures } = await publishCookedImage(installation, recipe, cooked, say);
  const use = recipe.kind === 'rescue' ? 'is what servers are rescued from' : 'can be ordered';
  if (isCurrent) say(`${recipe.name} ${use}, as ${image.volumeName}`);
  else say(`${recipe.name} stays as it was: no host took ${image.volumeName}`);
  for (const { host, message } of failures) {
    process.stderr.write(`✖ ${host} did not take it: ${message}\n`);
    process.exitCode = 1;
  }
}

async function list(): Promise<void> {
  await withInstallation(async (installation) => {
    const imagesFolder = resolve(installation.environment.SERVERY_IMAGES_DIR);
    for (const recipe of await listRecipes(catalogOf(installation))) {
      const cooked = await readCookedImage(imagesFolder, recipe.name);
      say(`${recipe.name.padEnd(20)} ${cooked ? wordsOf(cooked) : 'not cooked'}`);
    }
  });
}

function wordsOf({ cookedAt, sha256, verifiedAt }: CookedImage): string {
  const verified = verifiedAt ? ` verified ${verifiedAt.toISOString()}` : '';
  return `${cookedAt.toISOString()} ${sha256}${verified}`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
