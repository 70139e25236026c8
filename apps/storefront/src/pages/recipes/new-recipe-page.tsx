import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { accountQuery } from '../../api/account.ts';
import { buttonClass } from '../../components/button.tsx';
import { Page } from '../../components/page.tsx';
import { clearRecipeDraft, readRecipeDraft, saveRecipeDraft, TEMPLATE } from '../../recipe/recipe-draft.ts';
import { CookButtons } from './cook-buttons.tsx';
import { useSaving } from './use-saving.ts';
import { useWorkbench } from './use-workbench.ts';
import { WorkbenchView } from './workbench-view.tsx';

const NEW = 'new';

export function NewRecipePage() {
  const { data: account } = useQuery(accountQuery);
  const navigate = useNavigate();
  const [initial] = useState(() => readRecipeDraft(NEW) ?? TEMPLATE);
  const work = useWorkbench(initial, (text) => saveRecipeDraft(NEW, text));
  const saving = useSaving(null, {
    onKept: () => clearRecipeDraft(NEW),
    onSaved: async ({ id }) => {
      await navigate({ to: '/recipes/$recipeId', params: { recipeId: id } });
    },
    onCooking: async ({ id }) => {
      await navigate({ to: '/cooks/$cookId', params: { cookId: id } });
    },
    onRefused: work.refuse,
  });
  return (
    <Page
      title="Cook your own"
      lead="Say what should be in it, and we cook an image: the same recipe and the same packages make the same bytes. Order as many servers of it as you like, or take it home."
      actions={
        account && (
          <Link to="/recipes" className={buttonClass('secondary')}>
            Your recipes
          </Link>
        )
      }
    >
      <WorkbenchView work={work}>
        <CookButtons work={work} saving={saving} isSignedIn={Boolean(account)} />
      </WorkbenchView>
    </Page>
  );
}
