import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import ssh2, { type ClientChannel } from 'ssh2';
import { stringify } from 'yaml';
import { generateSshKeyPair, type SshKeyPair } from '#libs/accounts';
import type { AppliancePort } from '#libs/images';
import type { CookedImage } from '#libs/images/cook';
import { freePort } from '../support/ports.ts';

const runTool = promisify(execFile);

export type Firmware = 'bios' | 'uefi' | 'secure-boot';

/** x86-64-v2: what is cheaper to emulate boots sooner. */
const CPU = 'qemu64,cx16=on,lahf_lm=on,popcnt=on,sse4.1=on,sse4.2=on,ssse3=on';
const MAC = '52:54:00:00:00:01';
const DISK_GIB = 6;
const BOOT_SECONDS = 900;
const SSH_PORT = 22;

export interface GuestOptions {
  readonly firmware?: Firmware;
  readonly hostname: string;
  readonly memoryMib?: number;
  /** What is reached from here besides SSH. */
  readonly ports?: readonly AppliancePort[];
  /** Of the application, by name. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** A raw disk that is the machine's first one and not started from, as that of a server in its rescue system. */
  readonly ownDisk?: string;
}

/** A server started from an image with plain QEMU: no kernel from outside, emulated, reached at 127.0.0.1. */
export class Guest {
  readonly #folder: string;
  readonly #process: ChildProcess;
  readonly #keys: Keys;
  readonly #forwards: readonly Forward[];
  readonly secrets: Readonly<Record<string, string>>;

  private constructor(
    folder: string,
    qemu: ChildProcess,
    keys: Keys,
    forwards: readonly Forward[],
    secrets: Readonly<Record<string, string>>,
  ) {
    this.#folder = folder;
    this.#process = qemu;
    this.#keys = keys;
    this.#forwards = forwards;
    this.secrets = secrets;
  }

  /** Starts an overlay of `image` with a seed disk that names it and gives it host and login keys, and its secrets. */
  static async start(image: Pick<CookedImage, 'diskPath'>, options: GuestOptions): Promise<Guest> {
    const { firmware = 'bios', hostname, memoryMib = 1024, ports = [], secrets = {}, ownDisk } = options;
    const folder = await mkdtemp(join(tmpdir(), `guest-${firmware}-`));
    const keys = {
      login: generateSshKeyPair(),
      host: generateSshKeyPair(),
    };
    await writeFile(join(folder, 'login'), keys.login.privateKey, { mode: 0o600 });
    await writeSeed(folder, hostname, keys, secrets);
    const overlay = [
      '-b',
      image.diskPath,
      '-F',
      'qcow2',
      join(folder, 'disk.qcow2'),
      `${DISK_GIB}G`,
    ] as const;
    await runTool('qemu-img', ['create', '-q', '-f', 'qcow2', ...overlay]);
    const forwards = await forwardsTo(ports);
    const argv = [
      ...machine(folder, memoryMib, forwards, ownDisk),
      ...(await firmwareArguments(folder, firmware)),
    ];
    const qemu = spawn('qemu-system-x86_64', argv, { stdio: ['ignore', 'ignore', 'inherit'] });
    return new Guest(folder, qemu, keys, forwards, secrets);
  }

  /** Arguments with which `ssh`, and whatever uses it, reaches the guest as whom its owner's key lets in. */
  get sshOptions(): readonly string[] {
    const known = [
      'UserKnownHostsFile=/dev/null',
      'StrictHostKeyChecking=no',
      'LogLevel=ERROR',
      'BatchMode=yes',
    ];
    return [
      '-i',
      join(this.#folder, 'login'),
      '-p',
      String(this.portFor(SSH_PORT)),
      ...known.flatMap((one) => ['-o', one]),
    ];
  }

  /** Where a port of the guest is reached at 127.0.0.1. @throws when the appliance does not name it */
  portFor(guestPort: number): number {
    const forward = this.#forwards.find(({ there }) => there === guestPort);
    if (!forward) throw new Error(`port ${guestPort} is none of the appliance's`);
    return forward.here;
  }

  /**
   * Runs a command as root by SSH, waiting for the server to come up; refuses any other host key. Returns what it wrote
   * on standard output, however it ended.
   */
  async run(command: string): Promise<string> {
    return (await this.#runOnceUp(command)).output;
  }

  /** As `run`. @throws with all that the command said, when it ends with another code than 0 */
  async must(command: string): Promise<string> {
    const { code, output, errors } = await this.#runOnceUp(command);
    if (code !== 0) throw new Error(`${command}\nended with ${code}:\n${output}\n${errors}`);
    return output;
  }

  async #runOnceUp(command: string): Promise<Ended> {
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

  #runOnce(command: string): Promise<Ended> {
    const hostKey = this.#keys.host.publicKey.split(' ')[1];
    const client = new ssh2.Client();
    return new Promise<Ended>((resolve, reject) => {
      client.on('error', reject).on('close', () => reject(new Error('the connection was closed')));
      client.on('ready', () =>
        client.exec(command, (error, channel) => (error ? reject(error) : read(channel, resolve))),
      );
      client.connect({
        host: '127.0.0.1',
        port: this.portFor(SSH_PORT),
        username: 'root',
        privateKey: this.#keys.login.privateKey,
        hostVerifier: (key: Buffer) => key.toString('base64') === hostKey,
        readyTimeout: 120_000,
      });
    }).finally(() => client.end());
  }
}

/** A port of 127.0.0.1 that leads to one of the guest. */
interface Forward {
  readonly here: number;
  readonly there: number;
  readonly transport: 'tcp' | 'udp';
}

async function forwardsTo(ports: readonly AppliancePort[]): Promise<Forward[]> {
  const wanted = new Map([[`tcp${SSH_PORT}`, { there: SSH_PORT, transport: 'tcp' as 'tcp' | 'udp' }]]);
  for (const { port, protocol } of ports) {
    const transport = protocol === 'udp' ? 'udp' : 'tcp';
    wanted.set(`${transport}${port}`, { there: port, transport });
  }
  const forwards: Forward[] = [];
  for (const one of wanted.values()) forwards.push({ ...one, here: await freePort() });
  return forwards;
}

interface Keys {
  readonly login: SshKeyPair;
  readonly host: SshKeyPair;
}

/** How a command ended, and what it said until then. */
interface Ended {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

function read(channel: ClientChannel, done: (ended: Ended) => void): void {
  const said = { output: '', errors: '' };
  let code: number | null = null;
  channel.on('data', (chunk: Buffer) => {
    said.output += chunk.toString();
  });
  channel.stderr.on('data', (chunk: Buffer) => {
    said.errors += chunk.toString();
  });
  channel.on('exit', (status: number | null) => {
    code = status;
  });
  channel.on('close', () => done({ code, output: said.output.trim(), errors: said.errors.trim() }));
}

function machine(
  folder: string,
  memoryMib: number,
  forwards: readonly Forward[],
  ownDisk?: string,
): string[] {
  const hostForwards = forwards.map(
    ({ transport, here, there }) => `hostfwd=${transport}:127.0.0.1:${here}-:${there}`,
  );
  return [
    ...['-machine', 'q35,accel=tcg', '-cpu', CPU, '-smp', '2', '-m', String(memoryMib)],
    ...['-nodefaults', '-display', 'none', '-vga', 'std'],
    ...(ownDisk === undefined ? [] : ['-drive', `file=${ownDisk},if=none,id=own,format=raw`]),
    ...(ownDisk === undefined ? [] : ['-device', 'virtio-blk-pci,drive=own']),
    ...['-drive', `file=${join(folder, 'disk.qcow2')},if=none,id=boot,format=qcow2,cache=unsafe`],
    ...['-device', 'virtio-blk-pci,drive=boot,bootindex=1'],
    ...['-drive', `file=${join(folder, 'seed.img')},if=virtio,format=raw,readonly=on`],
    ...['-netdev', `user,id=net,restrict=on,${hostForwards.join(',')}`],
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
async function writeSeed(
  folder: string,
  hostname: string,
  keys: Keys,
  secrets: Readonly<Record<string, string>>,
): Promise<void> {
  const userData = {
    write_files: Object.entries(secrets).map(([name, content]) => ({
      path: `/etc/servery/secrets/${name}`,
      permissions: '0600',
      content,
    })),
    ssh_authorized_keys: [keys.login.publicKey],
    ssh_keys: { ed25519_private: keys.host.privateKey, ed25519_public: keys.host.publicKey },
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
  await runTool('mkfs.vfat', ['-C', '-n', 'CIDATA', seed, '1024']);
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(folder, name), content);
    await runTool('mcopy', ['-i', seed, join(folder, name), `::${name}`]);
  }
}
