import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { compiled } from './compile.ts';

/** `node --import` this file to run sources with decorators in a plain Node process. */
registerHooks({
  load(url, context, nextLoad) {
    if (!url.startsWith('file:') || !url.endsWith('.ts') || url.includes('/node_modules/')) {
      return nextLoad(url, context);
    }
    return { format: 'module', source: compiled(fileURLToPath(url)), shortCircuit: true };
  },
});
