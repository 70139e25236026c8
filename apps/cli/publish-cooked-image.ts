import { readFile } from 'node:fs/promises';
import { type Published, publishImage } from '#libs/fleet';
import { applianceOf, type CookedImage, type Recipe } from '#libs/images/cook';
import type { Installation } from './installation.ts';

/** Makes a cooked image the current one of its name and brings it to every host. */
export async function publishCookedImage(
  { dataSource, hypervisor, audit }: Installation,
  recipe: Recipe,
  image: CookedImage,
  progress: (line: string) => void,
): Promise<Published> {
  const build = {
    appliance: applianceOf(recipe),
    sha256: image.sha256,
    fileSizeBytes: image.fileSizeBytes,
    virtualSizeBytes: image.virtualSizeBytes,
    packageCount: image.manifest.packages.length,
    cookedAt: image.cookedAt,
    verifiedAt: image.verifiedAt,
    diskPath: image.diskPath,
    contents: {
      packages: image.manifest.packages,
      sbom: await readFile(image.sbomPath, 'utf8'),
    },
    screenshot: recipe.screenshot?.png,
  };
  const published = await publishImage(dataSource, hypervisor, build, (host, sentBytes, totalBytes) =>
    progress(`${recipe.name} to ${host}: ${Math.floor((100 * sentBytes) / totalBytes)} %`),
  );
  if (published.newOn.length > 0) await audit('image.publish', published.image.id);
  return published;
}
