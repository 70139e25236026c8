import { Link } from '@tanstack/react-router';
import { CookingPot } from 'lucide-react';
import { Button, buttonClass } from '../../components/button.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { formatCount } from '../../format.ts';
import type { useSaving } from './use-saving.ts';
import type { Workbench } from './use-workbench.ts';

interface CookButtonsProps {
  readonly work: Workbench;
  readonly saving: ReturnType<typeof useSaving>;
  readonly isSignedIn: boolean;
}

/** Saves and cooks what stands there, when nothing is wrong with it. */
export function CookButtons({ work: { text, problems }, saving, isSignedIn }: CookButtonsProps) {
  const isWrong = problems.length > 0;
  const isSaved = saving.saved?.yaml === text;
  return (
    <div className="mt-4 grid gap-3">
      {saving.error && <ErrorPanel error={saving.error} title="It is not cooking" />}
      {isWrong && (
        <p className="text-sm font-medium text-bad">
          {formatCount(problems.length, 'thing is', 'things are')} wrong, from line {problems[0]?.line} on.
        </p>
      )}
      {isSignedIn ? (
        <div className="grid grid-cols-2 gap-2">
          <Button busy={saving.busyWith === 'cook'} disabled={isWrong} onClick={() => saving.cook(text)}>
            <CookingPot aria-hidden="true" className="size-5" /> Cook
          </Button>
          <Button
            look="secondary"
            busy={saving.busyWith === 'save'}
            disabled={isWrong || isSaved}
            onClick={() => saving.save(text)}
          >
            {isSaved ? 'Saved' : 'Save'}
          </Button>
        </div>
      ) : (
        <Link to="/sign-in" search={{ next: '/cook' }} className={buttonClass()}>
          Sign in to cook
        </Link>
      )}
      <p className="text-sm text-soft">
        Cooking costs nothing; its image is kept at the price of a snapshot until you delete it.
      </p>
    </div>
  );
}
