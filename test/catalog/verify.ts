import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { cookImage, listRecipes, noteVerified, type Recipe } from '#libs/images/cook';
import { type Interruptible, interruptible } from '../support/interruptible.ts';
import { Guest } from './guest.ts';
import { catalogDir, useAsClient } from './use.ts';

const TELL_EVERY_MILLISECONDS = 10_000;

const outputDir =
  process.env.SERVERY_IMAGES_DIR || resolve(process.env.SERVERY_DATA_DIR ?? '.servery', 'images');

/** `npm run catalog:verify [-- NAME…]`: cooks, boots and uses appliances as their clients would. Exits 1 if one fails. */
async function main(names: readonly string[], here: Interruptible): Promise<void> {
  const all = await listRecipes(catalogDir);
  const unknown = names.filter((name) => !all.some((recipe) => recipe.name === name));
  if (unknown.length > 0) {
    console.error(
      `The catalog has no ${unknown.join(', ')}. It has: ${all.map(({ name }) => name).join(', ')}`,
    );
    process.exitCode = 2;
    return;
  }
  await mkdir(outputDir, { recursive: true });
  const wanted = all.filter(({ name }) => names.length === 0 || names.includes(name));
  const failed: string[] = [];
  for (const [index, recipe] of wanted.entries()) {
    console.log(`❯ ${recipe.name} (${index + 1} of ${wanted.length}): ${recipe.title}`);
    const begun = performance.now();
    const problem = await verify(recipe, here).catch((error: unknown) => error);
    if (here.signal.aborted) return;
    const took = `${((performance.now() - begun) / 1000).toFixed(0)} s`;
    if (problem === undefined) console.log(`✔ ${recipe.name} cooked, booted and used · ${took}`);
    else {
      failed.push(recipe.name);
      console.log(`✖ ${recipe.name} · ${took}\n${problem instanceof Error ? problem.stack : problem}`);
    }
  }
  console.log(
    `${wanted.length - failed.length} passed, ${failed.length} failed${failed.map((name) => ` ${name}`).join('')}`,
  );
  if (failed.length > 0) process.exitCode = 1;
}

async function verify(recipe: Recipe, { signal, atEnd }: Interruptible): Promise<void> {
  let toldAt = performance.now();
  const cooking = cookImage({
    recipe,
    signal,
    outputDir,
    mirror: process.env.SERVERY_APT_MIRROR,
    onProgress: ({ percent, message }) => {
      if (performance.now() - toldAt < TELL_EVERY_MILLISECONDS) return;
      toldAt = performance.now();
      console.log(`› cooking: ${Math.floor(percent)} % ${message}`);
    },
  });
  atEnd(() => cooking.catch(() => {}));
  const image = await cooking;
  console.log(`› ${image.unchanged ? 'unchanged' : 'cooked'}: SHA-256 ${image.sha256}`);
  const secrets = recipe.secrets.map(({ name }) => [name, randomBytes(15).toString('base64url')]);
  const { memoryMib } = recipe.minimum;
  const options = {
    hostname: recipe.name,
    memoryMib,
    ports: recipe.ports,
    secrets: Object.fromEntries(secrets),
  };
  const guest = await Guest.start(image, options);
  atEnd(() => guest.stop());
  try {
    console.log('› booting, then using it as its client would');
    await useAsClient(guest, recipe);
    await noteVerified(image, new Date());
  } finally {
    await guest.stop();
  }
}

await interruptible((here) => main(process.argv.slice(2), here));
