import { isHealthy } from './health.ts';
import type { Step } from './step.ts';

export const workerStep: Step = {
  title: 'Worker',
  log: 'worker',
  async run(up) {
    const url = `http://127.0.0.1:${up.state.ports.worker}`;
    await up.ensureProgram('worker', 'apps/worker/main.js', up.environment(), () => isHealthy(url));
    return undefined;
  },
};
