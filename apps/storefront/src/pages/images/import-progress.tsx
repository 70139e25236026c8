import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ActionWire, ImageWire } from '#libs/contracts';
import { actionQuery } from '../../api/servers.ts';
import { ActionProgress } from '../../components/action-progress.tsx';
import { buttonClass } from '../../components/button.tsx';
import { Notice } from '../../components/notice.tsx';
import { asSentence } from '../../format.ts';

/** The import as it goes on, and its end: also why it failed, for a failed one leaves no image. */
export function ImportProgress({ started }: { started: { action: ActionWire; image: ImageWire } }) {
  const { data: action = started.action } = useQuery(actionQuery(started.action.id));
  const toImages = (
    <Link to="/images" className={buttonClass('secondary')}>
      To my images
    </Link>
  );
  return (
    <div className="grid gap-5">
      <h2 className="text-lg">{started.image.description}</h2>
      {action.status === 'running' && (
        <>
          <ActionProgress
            action={action}
            since={action.started}
            clockLabel="Time since the import began"
            barLabel="Progress of the import"
          />
          <p className="text-sm text-soft">You may leave this page: it goes on without you.</p>
        </>
      )}
      {action.status === 'success' && (
        <Notice tone="good" title="It is ready">
          Servers can be ordered of it now.
        </Notice>
      )}
      {action.status === 'error' && (
        <Notice tone="bad" title="It was not imported">
          {asSentence(action.error?.message ?? 'Something broke on our side')}
        </Notice>
      )}
      <p>{toImages}</p>
    </div>
  );
}
