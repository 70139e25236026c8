import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { smallLimits } from './behind-wall.fixture.ts';
import { runBehindWall } from './behind-wall.ts';

/** A run in a process of its own, for a test that kills it: the folder as argument. */
const [, , folder = ''] = process.argv;
await runBehindWall({
  argv: ['/usr/bin/sh', '-c', 'setsid sleep 600 & sleep 600'],
  input: '',
  environment: { PATH: '/usr/bin' },
  visible: [{ from: join(folder, 'seen'), at: '/in/seen' }],
  handed: [],
  fileBytes: 0,
  scratchDir: mkdtempSync(join(folder, 'run-')),
  limits: smallLimits,
  onLine: () => {},
});
