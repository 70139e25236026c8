import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Moon, Sun } from 'lucide-react';
import { accountQuery } from '../../api/account.ts';
import { setTheme, useTheme } from '../../theme.ts';
import { buttonClass } from '../button.tsx';
import { LogoMark } from '../logo.tsx';
import { AccountMenu } from './account-menu.tsx';

const LINK =
  'rounded-control px-3 py-2 text-[0.9375rem] font-medium text-soft hover:text-ink [&.active]:text-ink [&.active]:underline [&.active]:decoration-saffron [&.active]:decoration-2 [&.active]:underline-offset-[0.6em]';

export function Header() {
  const { data: account, isPending } = useQuery(accountQuery);
  return (
    <header className="sticky top-0 z-30 border-b border-line bg-page/90 backdrop-blur-md">
      <div className="mx-auto flex h-16 max-w-6xl items-center gap-2 px-4 sm:px-6">
        <Link to="/" className="mr-4 flex items-center gap-2.5 rounded-control" aria-label="Servery, home">
          <LogoMark className="size-8" />
          <span className="text-xl font-[680] tracking-[-0.03em]">Servery</span>
        </Link>
        <nav aria-label="Main" className="flex items-center max-sm:hidden">
          <Link to="/" className={LINK} activeOptions={{ exact: true, includeSearch: false }}>
            Catalog
          </Link>
          <Link to="/cook" className={LINK}>
            Cook
          </Link>
          {account && (
            <Link to="/servers" className={LINK}>
              My servers
            </Link>
          )}
          {account && (
            <Link to="/billing" className={LINK}>
              Billing
            </Link>
          )}
          {account?.role === 'operator' && (
            <>
              <Link to="/operator/hosts" className={LINK}>
                Fleet
              </Link>
              <Link to="/operator/revenue" className={LINK}>
                Books
              </Link>
            </>
          )}
        </nav>
        <div className="ml-auto flex items-center gap-1.5">
          <ThemeToggle />
          {account && <AccountMenu account={account} />}
          {!account && !isPending && (
            <Link to="/sign-in" className={buttonClass('secondary')}>
              Sign in
            </Link>
          )}
        </div>
      </div>
    </header>
  );
}

function ThemeToggle() {
  const theme = useTheme();
  const other = theme === 'dark' ? 'light' : 'dark';
  const Icon = theme === 'dark' ? Sun : Moon;
  return (
    <button
      type="button"
      aria-label={`Switch to ${other} mode`}
      onClick={() => setTheme(other)}
      className="grid size-10 place-items-center rounded-control text-soft hover:bg-sunken hover:text-ink"
    >
      <Icon aria-hidden="true" className="size-5" />
    </button>
  );
}
