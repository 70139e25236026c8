import { type ErrorComponentProps, Link } from '@tanstack/react-router';
import { buttonClass } from '../components/button.tsx';
import { ErrorPanel } from '../components/error-panel.tsx';
import { Page } from '../components/page.tsx';

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

/** Stands in for a page that crashed or could not be loaded. */
export function CrashPage({ error, reset }: ErrorComponentProps) {
  return (
    <Page title="This page could not be shown" narrow>
      <ErrorPanel error={error} retry={reset} />
    </Page>
  );
}
