/** The gateway's process: `node gateway.main.ts FOLDER`, inside the namespace of the lab's switch. */
import { createGateway } from './gateway.ts';
import { labLayout } from './layout.ts';
import { serve } from './serve.ts';

const lab = labLayout(process.argv[2] ?? '');
await serve(createGateway(), lab.gatewaySocket);
