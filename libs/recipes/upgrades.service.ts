import { Injectable } from '@nestjs/common';
import { DataSource, IsNull } from 'typeorm';
import { Image, ImageContentsService } from '#libs/images';
import { type Change, changedEntries } from '#libs/kernel';
import { Server, ServersError, systemImageId } from '#libs/servers';
import { composeRecipe } from './compose-recipe.ts';
import { Cook } from './cook.entity.ts';
import { loadVersion } from './cook-requests.ts';
import { digestOf, fileChanges, type ImageChanges, type ImageParts } from './image-changes.ts';
import { recipesError } from './recipes.errors.ts';
import { Shelf } from './shelf.ts';
import { upgradeScript } from './upgrade-script.ts';

/** As rehearsals take them. */
const SCRIPT_MAX_BYTES = 64 * 1024;

/** What a server of an older image of a recipe lacks to be as one of a newer image. */
export interface Upgrade {
  readonly serverId: number;
  readonly from: Image;
  readonly to: Image;
  readonly changes: ImageChanges;
  readonly script: string;
}

/** Finds out how a server that was made of a recipe's older image becomes as one of a newer one, in place. */
@Injectable()
export class UpgradesService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly contents: ImageContentsService,
    private readonly shelf: Shelf,
  ) {}

  /**
   * To what the cook has made. What the server's owner has changed on it since is not known here: a rehearsal shows.
   * @throws DomainError `cook_not_found`, `cook_without_image`, `upgrade_not_possible`, `upgrade_too_large`; ServersError
   * `server_not_found`
   */
  async plan(projectId: number, cookId: number, serverId: number): Promise<Upgrade> {
    const { cook, to } = await this.cooked(projectId, cookId);
    const server = await this.serverOf(projectId, serverId);
    const from = await this.systemOf(server, to);
    await this.assertSecrets(server, to);
    const before = await this.partsOf(from);
    const after = cook.parts ?? (await this.partsOf(to));
    const packages = await this.contents.changes(from, to);
    const changes = { packages, files: fileChanges(before.files, after.files) };
    const units = changedEntries(before.units, after.units);
    const script = await this.scriptOf(to, changes, units, after);
    if (Buffer.byteLength(script) > SCRIPT_MAX_BYTES) {
      const message =
        'what is different fits into no script of 64 KiB: order a server of the new image instead';
      throw recipesError('upgrade_too_large', message, { bytes: Buffer.byteLength(script) });
    }
    return { serverId, from, to, changes, script };
  }

  /** @throws DomainError `cook_not_found`, `cook_without_image` */
  private async cooked(projectId: number, id: number): Promise<{ cook: Cook; to: Image }> {
    const { manager } = this.dataSource;
    const cook = await manager.getRepository(Cook).findOneBy({ id, projectId });
    if (!cook) throw recipesError('cook_not_found', `there is no cook ${id}`);
    const imageId = cook.imageId ?? 0;
    const to = await manager.getRepository(Image).findOneBy({ id: imageId, deletedAt: IsNull() });
    if (to) return { cook, to };
    throw recipesError('cook_without_image', `cook ${id} has no image (any more): cook again`);
  }

  /** @throws ServersError `server_not_found` */
  private async serverOf(projectId: number, id: number): Promise<Server> {
    const servers = this.dataSource.getRepository(Server);
    const server = await servers.findOneBy({ id, projectId, deletedAt: IsNull() });
    if (server) return server;
    throw new ServersError('server_not_found', `there is no server ${id}`, 'server');
  }

  /** The image that a server is like by now, an older one. @throws DomainError `upgrade_not_possible` */
  private async systemOf(server: Server, to: Image): Promise<Image> {
    const from = await this.imageOf(systemImageId(server));
    if (from.recipeId !== to.recipeId) {
      const message = `server ${server.id} was made of no image of this recipe: rebuild it from the image instead`;
      throw recipesError('upgrade_not_possible', message);
    }
    if (from.id === to.id) {
      const message = `server ${server.id} is of this very image: nothing is different`;
      throw recipesError('upgrade_not_possible', message);
    }
    if (isOlder(from, to)) return from;
    const message =
      `server ${server.id} is of a newer image, of version ${from.recipeVersion} of the recipe, and an upgrade sets nothing ` +
      `back: save version ${to.recipeVersion} anew and cook that, or rebuild the server from the image`;
    throw recipesError('upgrade_not_possible', message);
  }

  /** They are made with a server alone. @throws DomainError `upgrade_not_possible` */
  private async assertSecrets({ id, imageId }: Server, { appliance }: Image): Promise<void> {
    const made = await this.imageOf(imageId);
    const has = new Set(made.appliance.secrets?.map(({ name }) => name));
    const lacking = (appliance.secrets ?? []).filter(({ name }) => !has.has(name));
    if (lacking.length === 0) return;
    const names = lacking.map(({ name }) => name);
    const message =
      `server ${id} has no ${names.join(', ')}, and secrets are made with a server alone: order a server of the new ` +
      'image instead, or leave out of the recipe what wants them';
    throw recipesError('upgrade_not_possible', message, { secrets: names });
  }

  /** Also one that is deleted: what it was made of is known still. */
  private imageOf(id: number): Promise<Image> {
    return this.dataSource.getRepository(Image).findOneByOrFail({ id });
  }

  private async partsOf({ id, cookId }: Image): Promise<ImageParts> {
    const cook = await this.dataSource.getRepository(Cook).findOneBy({ id: cookId ?? 0 });
    if (cook?.parts) return cook.parts;
    const message = `what image ${id} was cooked of is not known any more`;
    throw recipesError('upgrade_not_possible', message);
  }

  private async scriptOf(
    { appliance, recipeId, recipeVersion }: Image,
    { packages, files }: ImageChanges,
    units: readonly Change<string | null>[],
    parts: ImageParts,
  ): Promise<string> {
    const { manager } = this.dataSource;
    const { spec } = await loadVersion(manager, recipeId ?? 0, recipeVersion ?? 0);
    const { recipe } = composeRecipe(spec, await this.shelf.stock());
    const paths = [...files.added, ...files.changed];
    const filesToWrite = recipe.files.filter(({ path }) => paths.includes(path));
    const isAsCooked = filesToWrite.every((file) => digestOf(file) === parts.files[file.path]);
    if (filesToWrite.length < paths.length || !isAsCooked) {
      const message = 'the catalog has changed since the image was cooked: cook again';
      throw recipesError('upgrade_not_possible', message);
    }
    return upgradeScript({
      ...{ title: `${appliance.title}, version ${recipeVersion}`, packages, filesToWrite, units },
      ...{ filesToRemove: files.removed, madeByServers: recipe.remove },
      services: recipe.services.enable,
    });
  }
}

/** Of an older version of the recipe, or of the same one and cooked before. */
function isOlder(image: Image, than: Image): boolean {
  const [version, other] = [image.recipeVersion ?? 0, than.recipeVersion ?? 0];
  return version === other ? image.createdAt < than.createdAt : version < other;
}
