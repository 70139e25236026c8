import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import ssh2 from 'ssh2';
import { stringify } from 'yaml';
import { generateSshKeyPair } from '#libs/accounts';
import { freePort } from '../../../test/support/ports.ts';

const exec = promisify(execFile);

/** An export's disk, and the hardware to start it with. */
export interface ExportedDisk {
  readonly path: string;
  readonly format: 'qcow2' | 'raw' | 'vmdk';
  readonly controller: 'virtio' | 'nvme';
  readonly card: 'virtio-net-pci' | 'vmxnet3';
}

/** x86-64-v2: what is cheaper to emulate boots sooner. */
const CPU = 'qemu64,cx16=on,lahf_lm=on,popcnt=on,sse4.1=on,sse4.2=on,ssse3=on';
const BOOT_SECONDS = 900;
const HALT_SECONDS = 300;

/** One server with keys of its own: first booted from an image, later from what was exported of it. */
export class ExportGuest {
  readonly network = { mac: '52:54:00:00:00:07', ipv4: '10.0.2.15' };
  readonly diskPath: string;
  private readonly folder: string;
  private readonly login = generateSshKeyPair();
  private readonly host = generateSshKeyPair();
  private process: ChildProcess | undefined;
  private sshPort = 0;
  /** What QEMU complained of. */
  private said = '';

  private constructor(folder: string) {
    this.folder = folder;
    this.diskPath = join(folder, 'disk.qcow2');
  }

  static async prepare(folder: string, hostname: string): Promise<ExportGuest> {
    const guest = new ExportGuest(folder);
    await guest.writeSeed(hostname);
    return guest;
  }

  /** Starts a fresh overlay on an image, with a seed. */
  async firstBoot(imagePath: string): Promise<void> {
    await exec('qemu-img', [
      ...['create', '-q', '-f', 'qcow2', '-b', imagePath, '-F', 'qcow2'],
      ...[this.diskPath, '4G'],
    ]);
    const seed = ['-drive', `file=${join(this.folder, 'seed.img')},if=virtio,format=raw,readonly=on`];
    const disk = ['-drive', `file=${this.diskPath},if=virtio,format=qcow2,cache=unsafe`];
    await this.launch([...disk, ...seed, ...this.card('virtio-net-pci')]);
    await this.run('cloud-init status --wait > /dev/null');
  }

  /** Starts plain QEMU from the file alone. What the guest writes is thrown away: the file stays as it is. */
  async start(disk: ExportedDisk, firmware: 'bios' | 'uefi'): Promise<void> {
    const drive = `file=${disk.path},format=${disk.format},if=none,id=disk,snapshot=on,cache=unsafe`;
    const device = disk.controller === 'nvme' ? 'nvme,serial=1,drive=disk' : 'virtio-blk-pci,drive=disk';
    await this.launch([
      ...['-drive', drive, '-device', `${device},bootindex=1`],
      ...this.card(disk.card),
      ...(firmware === 'uefi' ? await this.uefi() : []),
    ]);
  }

  /** Runs a command as root by SSH, waiting for the server to come up; refuses any other host key. */
  async run(command: string): Promise<string> {
    const deadline = Date.now() + BOOT_SECONDS * 1000;
    for (;;) {
      try {
        return await this.runOnce(command);
      } catch (error) {
        if (Date.now() > deadline || this.process?.exitCode !== null) throw await this.withConsole(error);
        await pause(1000);
      }
    }
  }

  async powerOff(): Promise<void> {
    const ended = this.ended();
    await this.runOnce('systemctl poweroff').catch(() => undefined);
    await Promise.race([ended, pause(HALT_SECONDS * 1000, undefined, { ref: false })]);
    await this.stop();
  }

  async stop(): Promise<void> {
    const ended = this.ended();
    if (this.process?.exitCode === null && this.process.kill('SIGKILL')) await ended;
    this.process = undefined;
  }

  private ended(): Promise<unknown> {
    const { process } = this;
    if (!process || process.exitCode !== null) return Promise.resolve();
    return new Promise((resolve) => process.once('exit', resolve));
  }

  private async launch(devices: readonly string[]): Promise<void> {
    this.sshPort = await freePort();
    const forward = `hostfwd=tcp:127.0.0.1:${this.sshPort}-:22`;
    const argv = [
      ...['-machine', 'q35,accel=tcg', '-cpu', CPU, '-smp', '2', '-m', '1024'],
      ...['-nodefaults', '-display', 'none', '-vga', 'std', '-device', 'virtio-rng-pci'],
      ...['-netdev', `user,id=net,restrict=on,${forward}`],
      ...['-serial', `file:${join(this.folder, 'console.log')}`],
      ...devices,
    ];
    this.said = '';
    this.process = spawn('qemu-system-x86_64', argv, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.process.stderr?.on('data', (chunk: Buffer) => {
      this.said = (this.said + chunk.toString()).slice(-2000);
    });
  }

  private card(model: ExportedDisk['card']): string[] {
    return ['-device', `${model},netdev=net,mac=${this.network.mac},romfile=`];
  }

  private async uefi(): Promise<string[]> {
    const variables = join(this.folder, 'variables.fd');
    await copyFile('/usr/share/OVMF/OVMF_VARS_4M.fd', variables);
    return [
      ...['-drive', 'if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd'],
      ...['-drive', `if=pflash,format=raw,file=${variables}`],
    ];
  }

  private runOnce(command: string): Promise<string> {
    const hostKey = this.host.publicKey.split(' ')[1];
    const client = new ssh2.Client();
    return new Promise<string>((resolve, reject) => {
      client.on('error', reject).on('close', () => reject(new Error('the connection was closed')));
      client.on('ready', () =>
        client.exec(command, (error, channel) => {
          if (error) return reject(error);
          let output = '';
          channel.on('data', (chunk: Buffer) => {
            output += chunk.toString();
          });
          channel.stderr.resume();
          channel.on('close', () => resolve(output.trim()));
        }),
      );
      client.connect({
        host: '127.0.0.1',
        port: this.sshPort,
        username: 'root',
        privateKey: this.login.privateKey,
        hostVerifier: (key: Buffer) => key.toString('base64') === hostKey,
        readyTimeout: 120_000,
      });
    }).finally(() => client.end());
  }

  private async withConsole(cause: unknown): Promise<Error> {
    const log = await readFile(join(this.folder, 'console.log'), 'utf8').catch(() => '');
    return new Error(`the guest does not answer; its console ends with:\n${log.slice(-2000)}\n${this.said}`, {
      cause,
    });
  }

  /** A NoCloud seed with a static address for the network card. */
  private async writeSeed(hostname: string): Promise<void> {
    const toYaml = (value: unknown) => stringify(value, { version: '1.1', lineWidth: 0 });
    const userData = {
      ssh_authorized_keys: [this.login.publicKey],
      ssh_keys: { ed25519_private: this.host.privateKey, ed25519_public: this.host.publicKey },
    };
    const main = {
      match: { macaddress: this.network.mac },
      addresses: [`${this.network.ipv4}/24`],
      routes: [{ to: '0.0.0.0/0', via: '10.0.2.2' }],
    };
    const files = {
      'meta-data': toYaml({ 'instance-id': hostname, 'local-hostname': hostname }),
      'user-data': `#cloud-config\n${toYaml(userData)}`,
      'network-config': toYaml({ version: 2, ethernets: { main } }),
    };
    const seed = join(this.folder, 'seed.img');
    await exec('/usr/sbin/mkfs.vfat', ['-C', '-n', 'CIDATA', seed, '1024']);
    for (const [name, content] of Object.entries(files)) {
      await writeFile(join(this.folder, name), content);
      await exec('mcopy', ['-i', seed, join(this.folder, name), `::${name}`]);
    }
  }
}
