import { access, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CliError } from '../cli.errors.ts';
import { writePrivateFile } from '../services/private-file.ts';
import { run } from '../services/run.ts';

export interface SshTarget {
  readonly host: string;
  readonly port: number;
  /** The host key that Servery promised, `ssh-ed25519 AAAA…`: any other is refused. */
  readonly hostKey: string;
}

/** The demo's own key pair in `<folder>/ssh`, made once. */
export class SshKey {
  readonly file: string;
  readonly #knownHosts: string;

  private constructor(folder: string) {
    this.file = join(folder, 'ssh', 'id_ed25519');
    this.#knownHosts = join(folder, 'ssh', 'known_hosts');
  }

  static async ensure(folder: string): Promise<SshKey> {
    const key = new SshKey(folder);
    await mkdir(join(folder, 'ssh'), { recursive: true, mode: 0o700 });
    const exists = await access(`${key.file}.pub`).then(
      () => true,
      () => false,
    );
    const make = ['-q', '-t', 'ed25519', '-N', '', '-C', 'servery-demo', '-f', key.file];
    if (!exists) await run('ssh-keygen', make, 20);
    return key;
  }

  async publicKey(): Promise<string> {
    return (await readFile(`${this.file}.pub`, 'utf8')).trim();
  }

  /** The command that a person would type. */
  command(target: SshTarget): string {
    return ['ssh', ...this.#options(), '-p', String(target.port), `root@${target.host}`].join(' ');
  }

  /**
   * Logs in as root and returns what `remote` printed there.
   * @throws CliError `ssh_failed` when there is no answer, the host key is another, or the login is refused.
   */
  async logIn(target: SshTarget, remote: readonly string[]): Promise<string> {
    await writePrivateFile(this.#knownHosts, `[${target.host}]:${target.port} ${target.hostKey}\n`);
    const options = [...this.#options(), '-o', 'BatchMode=yes', '-o', 'ConnectTimeout=15'];
    const address = ['-p', String(target.port), `root@${target.host}`];
    try {
      return (await run('ssh', [...options, ...address, ...remote], 60)).trim();
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new CliError('ssh_failed', `No login as root@${target.host}, port ${target.port}: ${why}`, {
        cause,
      });
    }
  }

  #options(): string[] {
    const trust = ['-o', `UserKnownHostsFile=${this.#knownHosts}`, '-o', 'StrictHostKeyChecking=yes'];
    return ['-i', this.file, '-o', 'IdentitiesOnly=yes', ...trust];
  }
}
