import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, Outlet, useRouter, useRouterState } from '@tanstack/react-router';
import { FlaskConical } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { accountQuery } from '../../api/account.ts';
import { catalogQuery } from '../../api/catalog.ts';
import { LogoMark } from '../logo.tsx';
import { Header } from './header.tsx';

/** What stands around every page. */
export function Layout() {
  return (
    <div className="flex min-h-dvh flex-col">
      <a
        href="#content"
        className="sr-only z-50 rounded-control bg-ink px-4 py-2 text-page focus:not-sr-only focus:fixed focus:top-3 focus:left-3"
      >
        Skip to content
      </a>
      <EmulatedPaymentsBanner />
      <Header />
      <main id="content" tabIndex={-1} className="flex-1 outline-none">
        <FocusOnNavigation />
        <LeaveWhenSignedOut />
        <ForgetFormerAccount />
        <Outlet />
      </main>
      <Footer />
    </div>
  );
}

/** Moves the focus to the content when the page changes, as a browser does on its own for whole pages. */
function FocusOnNavigation() {
  const path = useRouterState({ select: (state) => state.resolvedLocation?.pathname });
  const last = useRef(path);
  useEffect(() => {
    if (last.current !== undefined && path !== last.current) document.getElementById('content')?.focus();
    last.current = path;
  }, [path]);
  return null;
}

/** When the session has ended, pages that need one lead to the sign-in page, and back. */
function LeaveWhenSignedOut() {
  const router = useRouter();
  const { data: account } = useQuery(accountQuery);
  const wasSignedIn = useRef(false);
  useEffect(() => {
    if (wasSignedIn.current && account === null) void router.invalidate();
    wasSignedIn.current = Boolean(account);
  }, [account, router]);
  return null;
}

/** After a session that ended by itself or in another tab, who signs in sees nothing of the former account. */
function ForgetFormerAccount() {
  const queryClient = useQueryClient();
  const { data: account } = useQuery(accountQuery);
  const last = useRef<number>(undefined);
  const id = account?.id;
  useEffect(() => {
    if (id === undefined) return;
    if (last.current !== undefined && id !== last.current)
      void queryClient.resetQueries({
        predicate: ({ queryKey: [of] }) => of !== 'account' && of !== 'catalog',
      });
    last.current = id;
  }, [id, queryClient]);
  return null;
}

const EMULATED_KEY = 'servery.emulated';

/** Whether payments are emulated; until the service says so, what it said last, so that no page jumps. */
function useEmulatedPayments(): boolean {
  const { data } = useQuery(catalogQuery);
  const emulated = data?.payment.emulated;
  useEffect(() => {
    if (emulated !== undefined) sessionStorage.setItem(EMULATED_KEY, String(emulated));
  }, [emulated]);
  return emulated ?? sessionStorage.getItem(EMULATED_KEY) === 'true';
}

function EmulatedPaymentsBanner() {
  if (!useEmulatedPayments()) return null;
  return (
    <aside
      aria-label="Test mode"
      className="border-b border-saffron/40 bg-saffron-tint px-4 py-2 text-center text-sm text-saffron-ink"
    >
      <FlaskConical aria-hidden="true" className="mr-1.5 inline size-4 -translate-y-px" />
      <strong className="font-[640]">Test mode:</strong> payments are emulated, no real money. Pay with card{' '}
      <code className="font-mono whitespace-nowrap">4242 4242 4242 4242</code>, any future date, any CVC.
    </aside>
  );
}

function Footer() {
  return (
    <footer className="border-t border-line">
      <div className="mx-auto flex max-w-6xl flex-wrap items-center justify-between gap-x-8 gap-y-3 px-4 py-8 text-sm text-soft sm:px-6">
        <p className="flex items-center gap-2">
          <LogoMark className="size-5" /> Servery. Order a server, get it served.
        </p>
        <nav aria-label="Footer" className="flex flex-wrap gap-x-6 gap-y-2">
          <Link to="/" className="hover:text-ink hover:underline">
            Catalog
          </Link>
          <Link to="/cook" className="hover:text-ink hover:underline">
            Cook your own
          </Link>
          <a href="/docs" className="hover:text-ink hover:underline">
            API reference
          </a>
        </nav>
      </div>
    </footer>
  );
}
