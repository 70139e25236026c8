import { useRouterState } from '@tanstack/react-router';

/** What the link of a mail ends with. It stands behind `#`, so that no server or proxy on the way writes it down. */
export function useTokenOfLink(): string {
  return useRouterState({ select: ({ location }) => location.hash });
}
