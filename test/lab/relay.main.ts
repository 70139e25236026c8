/** The relay's process: `node relay.main.ts FOLDER`, in the machine's own network namespace. */
import { labLayout } from './layout.ts';
import { Relay } from './relay.ts';
import { createRelayApi } from './relay-api.ts';
import { serve } from './serve.ts';

const lab = labLayout(process.argv[2] ?? '');
const relay = new Relay(lab.gatewaySocket, lab.relaysFile);
await relay.restore();
await serve(createRelayApi(relay), lab.relaySocket);
