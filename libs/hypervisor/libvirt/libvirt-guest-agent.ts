import { z } from 'zod';
import { sleep } from '#libs/kernel';
import { HypervisorError, isHypervisorError } from '../hypervisor.errors.ts';
import type { AgentExecOptions, AgentExecResult } from '../port/guest-agent.ts';
import type { HostRef } from '../port/hosts.ts';
import { checkLogin, checkUuid } from '../specs.ts';
import type { LibvirtDomains } from './libvirt-domains.ts';
import type { Virsh } from './virsh.ts';
import { classify } from './virsh-errors.ts';

const ANSWER_TIMEOUT_SECONDS = 5;
const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 1000;

const started = z.object({ return: z.object({ pid: z.int() }) });
const status = z.object({
  return: z.object({
    exited: z.boolean(),
    exitcode: z.int().optional(),
    signal: z.int().optional(),
    'out-data': z.base64().optional(),
    'err-data': z.base64().optional(),
  }),
});

/**
 * The QEMU guest agent (qemu-ga-ref), spoken to over virsh's standard input: neither a password nor the
 * arguments of a program show up in the host's or the worker's process list.
 */
export class LibvirtGuestAgent {
  private readonly virsh: Virsh;
  private readonly domains: LibvirtDomains;

  constructor(virsh: Virsh, domains: LibvirtDomains) {
    this.virsh = virsh;
    this.domains = domains;
  }

  async ping(host: HostRef, uuid: string): Promise<boolean> {
    checkUuid(uuid);
    try {
      await this.ask(host, uuid, 'guest-ping');
      return true;
    } catch (error) {
      if (isHypervisorError(error, 'host_unreachable', 'host_timeout', 'host_misconfigured')) throw error;
      return false;
    }
  }

  async exec(
    host: HostRef,
    uuid: string,
    [path, ...arg]: readonly [string, ...string[]],
    { timeoutSeconds, input }: AgentExecOptions,
  ): Promise<AgentExecResult> {
    await this.domains.need(host, uuid);
    const deadline = Date.now() + timeoutSeconds * 1000;
    const given = input === undefined ? {} : { 'input-data': Buffer.from(input, 'utf8').toString('base64') };
    const asked = { path, arg, 'capture-output': true, ...given };
    const answer = await this.ask(host, uuid, 'guest-exec', asked);
    const { pid } = read(started, answer).return;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      const now = read(status, await this.ask(host, uuid, 'guest-exec-status', { pid })).return;
      if (now.exited) {
        return {
          exitCode: now.exitcode ?? 128 + (now.signal ?? 0),
          stdout: fromBase64(now['out-data']),
          stderr: fromBase64(now['err-data']),
        };
      }
      if (Date.now() + pauseMs > deadline) {
        const message = `${path} in guest ${uuid} has not ended within ${timeoutSeconds} s.`;
        throw new HypervisorError('agent_not_answering', message, { details: { host: host.name } });
      }
      await sleep(pauseMs);
    }
  }

  async setPassword(host: HostRef, uuid: string, username: string, password: string): Promise<void> {
    checkLogin({ user: username, password });
    await this.domains.need(host, uuid);
    const encoded = Buffer.from(password, 'utf8').toString('base64');
    await this.ask(host, uuid, 'guest-set-user-password', { username, password: encoded, crypted: false });
  }

  private async ask(host: HostRef, uuid: string, execute: string, args: object = {}): Promise<unknown> {
    const request = asciiJson({ execute, arguments: args });
    const timeout = String(ANSWER_TIMEOUT_SECONDS);
    const command = ['qemu-agent-command', '--domain', uuid, '--timeout', timeout, '--cmd', request];
    const { outputs, errors } = await this.virsh.script(host, [command]);
    const answer = outputs[0]?.trim() ?? '';
    if (answer.startsWith('{')) return JSON.parse(answer);
    throw classify(host, errors, execute);
  }
}

/** JSON in ASCII alone: virsh reads its lines in the C locale. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function fromBase64(text: string | undefined): string {
  return Buffer.from(text ?? '', 'base64').toString('utf8');
}

function read<T>(schema: z.ZodType<T>, answer: unknown): T {
  const result = schema.safeParse(answer);
  if (result.success) return result.data;
  throw new HypervisorError('agent_refused', 'The guest agent gave an answer that no guest agent gives.');
}
