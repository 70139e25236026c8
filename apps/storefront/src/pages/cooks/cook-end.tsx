import { Link } from '@tanstack/react-router';
import type { CookWire } from '#libs/contracts';
import { buttonClass } from '../../components/button.tsx';
import { Notice } from '../../components/notice.tsx';
import { asSentence } from '../../format.ts';

/** A cook that made no image: why, what of the recipe is wrong, and the way back to it. */
export function CookEnd({ cook: { recipe, status, error } }: { cook: CookWire }) {
  const change = (
    <Link
      to="/recipes/$recipeId"
      params={{ recipeId: recipe.id }}
      className={buttonClass('secondary', 'small')}
    >
      Change the recipe
    </Link>
  );
  if (status === 'cancelled')
    return (
      <Notice title="It was stopped" actions={change}>
        There is no image of it; the former one stays as it was.
      </Notice>
    );
  return (
    <Notice tone="bad" title="There is no image of it" actions={change}>
      <p>{error ? asSentence(error.message) : 'The kitchen did not say why.'}</p>
      {error?.fields && error.fields.length > 0 && (
        <ul className="mt-2 grid list-disc gap-1 pl-5">
          {error.fields.map(({ name, messages }) => (
            <li key={name}>
              <code className="font-mono text-sm">{name}</code> {messages.join('; ')}
            </li>
          ))}
        </ul>
      )}
    </Notice>
  );
}
