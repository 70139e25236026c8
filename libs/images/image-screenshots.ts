import type { EntityManager } from 'typeorm';

/** Keeps how servers of an image look, a PNG, in place of what was kept before; null: nothing is shown. */
export async function keepScreenshot(
  manager: EntityManager,
  imageId: number,
  png: Buffer | null,
): Promise<void> {
  await manager.query('DELETE FROM image_screenshots WHERE image_id = $1', [imageId]);
  if (png === null) return;
  await manager.query('INSERT INTO image_screenshots (image_id, png) VALUES ($1, $2)', [imageId, png]);
}

/** The PNG that shows how servers of an image look; undefined where there is none. */
export async function screenshotOf(manager: EntityManager, imageId: number): Promise<Buffer | undefined> {
  const [row] = await manager.query<{ png: Buffer }[]>(
    'SELECT png FROM image_screenshots WHERE image_id = $1',
    [imageId],
  );
  return row?.png;
}
