import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import type { RecipeWire } from '#libs/contracts';
import { deleteRecipe, recipesQuery } from '../../api/recipes.ts';
import { ConfirmDialog } from '../../components/dialogs.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';

export function DeleteRecipeDialog({ recipe, close }: { recipe: RecipeWire; close: () => void }) {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const remove = useMutation({
    mutationFn: () => deleteRecipe(recipe.id),
    onSuccess: async () => {
      await navigate({ to: '/recipes' });
      await queryClient.invalidateQueries({ ...recipesQuery, exact: true });
    },
  });
  return (
    <ConfirmDialog
      open
      onOpenChange={close}
      title={`Delete the recipe ${recipe.name}?`}
      confirm="Delete"
      look="danger"
      busy={remove.isPending}
      onConfirm={() => remove.mutate()}
    >
      <p>Its versions go. Images that were cooked of it stay, and so do servers that were made of them.</p>
      {remove.error && <ErrorPanel error={remove.error} />}
    </ConfirmDialog>
  );
}
