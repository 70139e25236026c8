import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { hidePort, type LabDescription, showPort } from '../../lab/index.ts';

const run = promisify(execFile);
const NAME = 'bench-by-hand';
const SCRIPT = join(import.meta.dirname, 'by-hand.sh');
const TIMEOUT_SECONDS = 900;

/** Where a server of ours was placed and what its disk is an overlay of. */
export interface Ground {
  readonly uri: string;
  readonly imagePath: string;
}

/** Asks libvirt where the server is, for the script to be given the same host and image. */
export async function groundOf(lab: LabDescription, serverId: number): Promise<Ground> {
  const volume = `servery-${serverId}-1.qcow2`;
  for (const { uri } of lab.hosts) {
    const xml = await run('virsh', ['-c', uri, 'vol-dumpxml', '--pool', lab.pools.disks, volume]).then(
      ({ stdout }) => stdout,
      () => '',
    );
    const imagePath = /<backingStore>\s*<path>([^<]+)<\/path>/.exec(xml)?.[1];
    if (imagePath !== undefined) return { uri, imagePath };
  }
  throw new Error(`no host of the lab has the volume ${volume}`);
}

/** Runs the script on `ground`. Returns the seconds that it took to the first command by SSH. */
export async function scriptToSsh(lab: LabDescription, ground: Ground, keyFile: string): Promise<number> {
  const { network, pools, relay } = lab;
  const target = { address: network.lastGuest, port: 22 };
  const socket = relay.replace(/^unix:/, '');
  const shown = await showPort(socket, target);
  try {
    const { stdout } = await run(SCRIPT, [], {
      timeout: TIMEOUT_SECONDS * 1000,
      env: {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        URI: ground.uri,
        IMAGE_PATH: ground.imagePath,
        NAME,
        DISK_POOL: pools.disks,
        BRIDGE: network.bridge,
        IP: network.lastGuest,
        PREFIX_LENGTH: String(network.prefixLength),
        GATEWAY: network.gateway,
        SSH_PORT: String(shown.listenPort),
        SSH_KEY: keyFile,
      },
    });
    const seconds = Number(stdout.trim());
    if (!(seconds > 0)) throw new Error(`the script printed ${JSON.stringify(stdout)}`);
    return seconds;
  } finally {
    await hidePort(socket, target);
  }
}
