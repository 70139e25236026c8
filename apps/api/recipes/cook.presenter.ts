import type { CookWire, ImageChangesWire } from '#libs/contracts';
import type { Cook, CookWithImages, ImageChanges } from '#libs/recipes';
import { wireTime, wireTimeOrNull } from '../http/wire.ts';

export function presentCook({ cook, image, former }: CookWithImages): CookWire {
  const { changes } = cook;
  return {
    id: cook.id,
    recipe: { id: cook.recipeId, name: cook.recipeName, version: cook.version },
    status: cook.state,
    stage: cook.stage,
    percent: cook.percent,
    message: cook.message,
    created: wireTime(cook.createdAt),
    started: wireTimeOrNull(cook.startedAt),
    finished: wireTimeOrNull(cook.finishedAt),
    error: presentError(cook),
    image: image?.id ?? null,
    sha256: image?.sha256 ?? null,
    unchanged: cook.isUnchanged,
    size_bytes: image?.fileSizeBytes ?? null,
    packages_count: image?.packageCount ?? null,
    former: former && { image: former.id, version: former.recipeVersion ?? cook.version },
    changes: changes && presentChanges(changes),
  };
}

export function presentChanges({ packages, files }: ImageChanges): ImageChangesWire {
  const { added, removed, changed } = files;
  return {
    packages: [...packages],
    files: { added: [...added], removed: [...removed], changed: [...changed] },
  };
}

function presentError({ errorCode, errorMessage, errorFields }: Cook): CookWire['error'] {
  if (errorCode === null) return null;
  const fields = errorFields?.map(({ name, messages }) => ({ name, messages: [...messages] }));
  return { code: errorCode, message: errorMessage ?? '', ...(fields && { fields }) };
}
