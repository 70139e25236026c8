import { spawn } from 'node:child_process';
import type { ExportManifestWire } from '#libs/contracts';
import { freePort } from '../support/ports.ts';

/** A server that runs from the file that its owner has downloaded, without us. */
export interface TakenHome extends AsyncDisposable {
  readonly sshPort: number;
}

/**
 * Starts plain QEMU from a qcow2 file alone, with the card and the address that its manifest names. What the guest writes
 * is thrown away.
 */
export async function startAtHome(
  path: string,
  { network }: ExportManifestWire['server'],
): Promise<TakenHome> {
  if (!network) throw new Error('the manifest names no network card');
  const { mac, ipv4 } = network;
  const sshPort = await freePort();
  const forward = `hostfwd=tcp:127.0.0.1:${sshPort}-${ipv4}:22`;
  const net = `net=${ipv4.replace(/\d+$/, '0')}/24,restrict=on`;
  const qemu = spawn(
    'qemu-system-x86_64',
    [
      ...['-machine', 'q35,accel=tcg', '-smp', '2', '-m', '1024', '-nodefaults', '-display', 'none'],
      ...[
        '-drive',
        `file=${path},format=qcow2,if=virtio,snapshot=on,cache=unsafe`,
        '-device',
        'virtio-rng-pci',
      ],
      ...['-netdev', `user,id=net,${net},${forward}`],
      ...['-device', `virtio-net-pci,netdev=net,mac=${mac},romfile=`],
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const ended = new Promise((resolve) => qemu.once('exit', resolve));
  return {
    sshPort,
    [Symbol.asyncDispose]: async () => {
      qemu.kill('SIGKILL');
      await ended;
    },
  };
}
