import { type ChildProcess, spawn } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import ssh2, { type ClientChannel } from 'ssh2';
import { stringify } from 'yaml';
import { freePort } from '../../../test/support/ports.ts';
import type { CookedImage } from './image-folder.ts';
import { runTool } from './run-tool.ts';

export type Firmware = 'bios' | 'uefi' | 'secure-boot';

/** x86-64-v2: what is cheaper to emulate boots sooner. */
const CPU = 'qemu64,cx16=on,lahf_lm=on,popcnt=on,sse4.1=on,sse4.2=on,ssse3=on';
const MAC = '52:54:00:00:00:01';
const DISK_GIB = 6;
const BOOT_SECONDS = 900;

/** A server started from an image with plain QEMU: no kernel from outside, emulated, reached at 127.0.0.1. */
export class Guest {
  readonly #folder: string;
  readonly #process: ChildProcess;
  readonly #keys: Keys;
  readonly sshPort: number;
  readonly httpPort: number;

  private constructor(folder: string, qemu: ChildProcess, keys: Keys, ports: readonly [number, number]) {
    this.#folder = folder;
    this.#process = qemu;
    this.#keys = keys;
    [this.sshPort, this.httpPort] = ports;
  }

  /**
   * Starts an overlay of `image` with a seed disk that names it `hostname` and gives it host and login keys. `ownDisk` is a
   * raw disk that is the machine's first one and not started from, as that of a server in its rescue system.
   */
  static async start(
    image: CookedImage,
    firmware: Firmware,
    hostname: string,
    ownDisk?: string,
  ): Promise<Guest> {
    const folder = await mkdtemp(join(tmpdir(), `guest-${firmware}-`));
    const keys = {
      login: ssh2.utils.generateKeyPairSync('ed25519'),
      host: ssh2.utils.generateKeyPairSync('ed25519'),
    };
    await writeSeed(folder, hostname, keys);
    const overlay = [
      '-b',
      image.diskPath,
      '-F',
      'qcow2',
      join(folder, 'disk.qcow2'),
      `${DISK_GIB}G`,
    ] as const;
    await runTool(['qemu-img', 'create', '-q', '-f', 'qcow2', ...overlay], { timeoutSeconds: 60 });
    const [ssh, http] = [await freePort(), await freePort()];
    const argv = [...machine(folder, ssh, http, ownDisk), ...(await firmwareArguments(folder, firmware))];
    const qemu = spawn('qemu-system-x86_64', argv, { stdio: ['ignore', 'ignore', 'inherit'] });
    return new Guest(folder, qemu, keys, [ssh, http]);
  }

  /** Runs a command as root by SSH, waiting for the server to come up; refuses any other host key. */
  async run(command: string): Promise<string> {
    const deadline = Date.now() + BOOT_SECONDS * 1000;
    for (;;) {
      try {
        return await this.#runOnce(command);
      } catch (error) {
        if (Date.now() > deadline || this.#process.exitCode !== null) throw await this.#withConsole(error);
        await pause(1000);
      }
    }
  }

  /** Asks the guest agent over its virtio-serial port. */
  async ask(command: string): Promise<unknown> {
    const socket = createConnection(join(this.#folder, 'agent.sock'));
    try {
      socket.write(`${JSON.stringify({ execute: command })}\n`);
      let answer = '';
      for await (const chunk of socket) {
        answer += String(chunk);
        if (answer.includes('\n')) break;
      }
      return JSON.parse(answer).return;
    } finally {
      socket.destroy();
    }
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    if (this.#process.exitCode === null && this.#process.kill('SIGKILL')) await ended;
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #withConsole(cause: unknown): Promise<Error> {
    const log = await readFile(join(this.#folder, 'console.log'), 'utf8').catch(() => '');
    return new Error(`the guest does not answer; its console ends with:\n${log.slice(-2000)}`, { cause });
  }

  #runOnce(command: string): Promise<string> {
    const hostKey = this.#keys.host.public.split(' ')[1];
    const client = new ssh2.Client();
    return new Promise<string>((resolve, reject) => {
      client.on('error', reject).on('close', () => reject(new Error('the connection was closed')));
      client.on('ready', () =>
        client.exec(command, (error, channel) => (error ? reject(error) : read(channel, resolve))),
      );
      client.connect({
        host: '127.0.0.1',
        port: this.sshPort,
        username: 'root',
        privateKey: this.#keys.login.private,
        hostVerifier: (key: Buffer) => key.toString('base64') === hostKey,
        readyTimeout: 120_000,
      });
    }).finally(() => client.end());
  }
}

interface Keys {
  readonly login: { private: string; public: string };
  readonly host: { private: string; public: string };
}

function read(channel: ClientChannel, done: (output: string) => void): void {
  let output = '';
  channel.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  channel.stderr.resume();
  channel.on('close', () => done(output.trim()));
}

function machine(folder: string, sshPort: number, httpPort: number, ownDisk?: string): string[] {
  const forward = (host: number, guest: number) => `hostfwd=tcp:127.0.0.1:${host}-:${guest}`;
  return [
    ...['-machine', 'q35,accel=tcg', '-cpu', CPU, '-smp', '2', '-m', '1024'],
    ...['-nodefaults', '-display', 'none', '-vga', 'std'],
    ...(ownDisk === undefined ? [] : ['-drive', `file=${ownDisk},if=virtio,format=raw`]),
    ...['-drive', `file=${join(folder, 'disk.qcow2')},if=none,id=boot,format=qcow2,cache=unsafe`],
    ...['-device', 'virtio-blk-pci,drive=boot,bootindex=1'],
    ...['-drive', `file=${join(folder, 'seed.img')},if=virtio,format=raw,readonly=on`],
    ...['-netdev', `user,id=net,restrict=on,${forward(sshPort, 22)},${forward(httpPort, 80)}`],
    ...['-device', `virtio-net-pci,netdev=net,mac=${MAC},romfile=`, '-device', 'virtio-rng-pci'],
    ...['-chardev', `socket,path=${join(folder, 'agent.sock')},server=on,wait=off,id=agent`],
    ...['-device', 'virtio-serial', '-device', 'virtserialport,chardev=agent,name=org.qemu.guest_agent.0'],
    ...['-serial', `file:${join(folder, 'console.log')}`],
  ];
}

/** Debian's OVMF; its `.ms` build holds Microsoft's keys and insists on them, and keeps them safe by SMM. */
async function firmwareArguments(folder: string, firmware: Firmware): Promise<string[]> {
  if (firmware === 'bios') return [];
  const suffix = firmware === 'secure-boot' ? '.ms' : '';
  const variables = join(folder, 'variables.fd');
  await copyFile(`/usr/share/OVMF/OVMF_VARS_4M${suffix}.fd`, variables);
  return [
    ...(firmware === 'secure-boot' ? ['-global', 'driver=cfi.pflash01,property=secure,value=on'] : []),
    ...['-drive', `if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M${suffix}.fd`],
    ...['-drive', `if=pflash,format=raw,file=${variables}`],
  ];
}

/** cloud-init reads YAML 1.1, where 52:54:00:00:00:01 without quotes is a number of base 60. */
const toYaml = (value: unknown) => stringify(value, { version: '1.1', lineWidth: 0 });

/** A NoCloud seed (cloud-init's own documentation: "cidata" on a vfat disk) with a static address. */
async function writeSeed(folder: string, hostname: string, keys: Keys): Promise<void> {
  const userData = {
    ssh_authorized_keys: [keys.login.public],
    ssh_keys: { ed25519_private: keys.host.private, ed25519_public: keys.host.public },
  };
  const network = {
    version: 2,
    ethernets: {
      main: {
        match: { macaddress: MAC },
        addresses: ['10.0.2.15/24'],
        // cloud-init 22.4 does not know `default` as a destination.
        routes: [{ to: '0.0.0.0/0', via: '10.0.2.2' }],
      },
    },
  };
  const files = {
    'meta-data': toYaml({ 'instance-id': hostname, 'local-hostname': hostname }),
    'user-data': `#cloud-config\n${toYaml(userData)}`,
    'network-config': toYaml(network),
  };
  const seed = join(folder, 'seed.img');
  const tool = { timeoutSeconds: 60 };
  await runTool(['mkfs.vfat', '-C', '-n', 'CIDATA', seed, '1024'], tool);
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(folder, name), content);
    await runTool(['mcopy', '-i', seed, join(folder, name), `::${name}`], tool);
  }
}
