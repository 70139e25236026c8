import { expect, it } from 'vitest';
import { accountQuery, sshKeysQuery } from './api/account.ts';
import { balanceQuery } from './api/billing.ts';
import { catalogQuery, quoteQuery } from './api/catalog.ts';
import { exportsQuery } from './api/exports.ts';
import { imageQuery, ownImagesQuery } from './api/images.ts';
import { cookQuery, recipesQuery } from './api/recipes.ts';
import { rehearsalQuery } from './api/rehearsals.ts';
import { everyServerQuery } from './api/servers.ts';
import { volumesQuery } from './api/volumes.ts';
import { isOfProject } from './use-project-change.ts';

it('forgets what belongs to the project before, and keeps what is of the account and of the shop', () => {
  const ofProject = [
    ...[everyServerQuery, volumesQuery, ownImagesQuery, imageQuery(1), recipesQuery, cookQuery(1)],
    ...[rehearsalQuery(1), exportsQuery({ type: 'server', id: 1 }), sshKeysQuery],
    quoteQuery({ server_type: 's1', image: 'web' }),
  ];
  expect(ofProject.filter((query) => !isOfProject(query))).toEqual([]);
  expect([accountQuery, balanceQuery, catalogQuery].filter(isOfProject)).toEqual([]);
});
