import { Injectable } from '@nestjs/common';
import { DataSource, In } from 'typeorm';
import { Image } from '#libs/images';
import { firstPage, type ListQuery, type Page, pageOf } from '#libs/listing';
import { Cook } from './cook.entity.ts';
import { readOutput } from './cook-output.ts';
import { recipesError } from './recipes.errors.ts';

const SLICE_BYTES = 64 * 1024;

/** A cook with the images that it speaks of, where they are known. */
export interface CookWithImages {
  readonly cook: Cook;
  readonly image: Image | null;
  readonly former: Image | null;
}

export interface LogSlice {
  readonly text: string;
  /** Where to read on. */
  readonly next: number;
  /** Whether there will never be more. */
  readonly isEnd: boolean;
  /** Printed beyond what is kept. */
  readonly cutBytes: number;
}

/** What the saga of a cook is about. */
export function cookSubjectOf(id: number): { readonly type: 'cook'; readonly id: number } {
  return { type: 'cook', id };
}

/** Looks at the cooks of projects. */
@Injectable()
export class CooksService {
  constructor(private readonly dataSource: DataSource) {}

  /** Filters: recipe, status. Sorts: id, created. */
  async list(projectId: number, query: ListQuery = firstPage): Promise<Page<CookWithImages>> {
    const builder = this.dataSource
      .getRepository(Cook)
      .createQueryBuilder('cook')
      .where('cook.projectId = :projectId', { projectId });
    const { items, total } = await pageOf(builder, query, {
      id: 'cook.id',
      filters: { recipe: 'cook.recipeId', status: 'cook.state' },
      sorts: { id: 'cook.id', created: 'cook.createdAt' },
    });
    return { items: await this.withImages(items), total };
  }

  /** @throws DomainError `cook_not_found`, also when it is another project's */
  async get(projectId: number, id: number): Promise<CookWithImages> {
    const cook = await this.dataSource.getRepository(Cook).findOneBy({ id, projectId });
    const [found] = cook ? await this.withImages([cook]) : [];
    if (!found) throw recipesError('cook_not_found', `there is no cook ${id}`);
    return found;
  }

  /** What its tools have printed after a position, at most 64 KiB of it. @throws DomainError `cook_not_found` */
  async log(projectId: number, id: number, after: number): Promise<LogSlice> {
    const { cook } = await this.get(projectId, id);
    // Known before it is read: nothing is added to the log of a cook that has ended.
    const isWhole = cook.finishedAt !== null;
    const { manager } = this.dataSource;
    const { text, next } = await readOutput(manager, id, { after, mostBytes: SLICE_BYTES, isWhole });
    return { text, next, isEnd: isWhole && next >= cook.keptBytes, cutBytes: cook.cutBytes };
  }

  private async withImages(cooks: readonly Cook[]): Promise<CookWithImages[]> {
    const ids = cooks.flatMap(({ imageId, formerImageId }) => [imageId, formerImageId]);
    const known = ids.filter((id) => id !== null);
    const images = await this.dataSource.getRepository(Image).findBy({ id: In(known) });
    const byId = new Map(images.map((image) => [image.id, image]));
    const imageOf = (id: number | null) => (id === null ? null : (byId.get(id) ?? null));
    return cooks.map((cook) => ({
      cook,
      image: imageOf(cook.imageId),
      former: imageOf(cook.formerImageId),
    }));
  }
}
