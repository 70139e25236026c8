import { makeExport } from './make-export.ts';
import { exportSubject } from './manifest.ts';

/** Makes one export and says how far it is: a process of its own, to be killed. */
const [diskPath = '', format = '', folder = '', subject = ''] = process.argv.slice(2);
await makeExport({
  diskPath,
  format: format === 'ova' ? 'ova' : 'vmdk',
  folder,
  subject: exportSubject.parse(JSON.parse(subject)),
  onPercent: (percent) => console.log(percent),
});
