import { lab } from '../services/lab.ts';
import { labDescriptionSchema } from './lab-description.ts';
import type { Step } from './step.ts';

const HOSTS = '2';

export const labStep: Step = {
  title: 'Lab of real hypervisor hosts',
  log: 'lab',
  async run(up, progress) {
    const args = ['up', '--hosts', HOSTS, '--json'];
    const printed = await lab({ ...up, args, timeoutSeconds: 180, onLine: progress });
    up.lab = labDescriptionSchema.parse(JSON.parse(printed));
    return up.lab.hosts.map((host) => host.name).join(', ');
  },
};
