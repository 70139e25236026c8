import { ApiError } from '../api/client.ts';
import { asSentence } from '../format.ts';
import { Button } from './button.tsx';
import { Notice } from './notice.tsx';

/** What stands on the screen when something could not be loaded or done, with the way on. */
export function ErrorPanel({ error, retry, title }: { error: unknown; retry?: () => void; title?: string }) {
  const message =
    error instanceof ApiError ? asSentence(error.message) : 'Something broke in this page. Reload it.';
  const heading =
    title ?? (error instanceof ApiError && error.code === 'network' ? 'No connection' : 'That did not work');
  return (
    <Notice
      tone="bad"
      title={heading}
      actions={
        retry && (
          <Button look="secondary" size="small" onClick={retry}>
            Try again
          </Button>
        )
      }
    >
      {message}
    </Notice>
  );
}
