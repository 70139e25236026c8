import { type ErrorComponentProps, Link, useRouter } from '@tanstack/react-router';
import { buttonClass } from '../components/button.tsx';
import { ErrorPanel } from '../components/error-panel.tsx';
import { Page } from '../components/page.tsx';
import { Skeleton } from '../components/skeleton.tsx';

export function NotFoundPage() {
  return (
    <Page
      title="Not on the menu"
      narrow
      above={<p className="mb-2 font-mono text-sm text-soft">404</p>}
      lead="There is no page at this address. It may have moved, or the link has a typing error."
    >
      <Link to="/" className={buttonClass()}>
        See the catalog
      </Link>
    </Page>
  );
}

/** Stands in for a page that crashed or could not be loaded; the frame around it stays. */
export function CrashPage({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  return (
    <Page title="This page could not be shown" narrow>
      <ErrorPanel error={error} retry={() => void router.invalidate().then(reset)} />
    </Page>
  );
}

/** Stands in for a page that is slow to come. */
export function PendingPage() {
  return (
    <div className="mx-auto max-w-6xl px-4 pt-8 pb-20 sm:px-6 sm:pt-12">
      <Skeleton className="mb-8 h-10 max-w-64" />
      <Skeleton className="h-60" />
    </div>
  );
}
