import { isHealthy } from './health.ts';
import type { Step } from './step.ts';

/** The API serves the storefront's files too. */
export const apiStep: Step = {
  title: 'API and storefront',
  log: 'api',
  async run(up) {
    await up.ensureProgram('api', 'apps/api/main.js', up.environment(), () => isHealthy(up.url));
    return `at ${up.url}`;
  },
};
