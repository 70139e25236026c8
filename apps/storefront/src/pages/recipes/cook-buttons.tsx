import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { CookingPot, CreditCard } from 'lucide-react';
import { ApiError } from '../../api/client.ts';
import { leaveForCardPage } from '../../card-setup.ts';
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
      {saving.error instanceof ApiError && saving.error.code === 'payment_required' && (
        <AddCard back={saving.saved ? `/recipes/${saving.saved.id}` : '/cook'} />
      )}
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

/** The recipe is saved by then, so its own page is where to go on. */
function AddCard({ back }: { back: string }) {
  const leave = useMutation({ mutationFn: () => leaveForCardPage(back) });
  return (
    <>
      {leave.error && <ErrorPanel error={leave.error} title="The card page could not be opened" />}
      <Button look="secondary" busy={leave.isPending} onClick={() => leave.mutate()}>
        <CreditCard aria-hidden="true" className="size-5" /> Add a card
      </Button>
    </>
  );
}
