import type { Duplex } from 'node:stream';
import { HypervisorError } from '../hypervisor.errors.ts';
import type { ConsoleKind } from '../port/domains.ts';
import type { HostRef } from '../port/hosts.ts';
import { whenFree } from '../when-free.ts';
import { SCREEN_CHANNEL } from './domain-xml.ts';
import type { LibvirtDomains } from './libvirt-domains.ts';
import { dialLibvirt, PROCEDURE, RpcConnection, RpcRefusal, type XdrReader, XdrWriter } from './rpc/index.ts';
import { classify } from './virsh-errors.ts';

const ANSWER_TIMEOUT_SECONDS = 30;
/** libvirt's kinds of authentication: none, and by who runs the process at the other end of the socket. */
const AUTH_NONE = 0;
const AUTH_POLKIT = 2;
const UUID_BYTES = 16;
/**
 * Never VIR_DOMAIN_CONSOLE_FORCE or VIR_DOMAIN_CHANNEL_FORCE: libvirt 9.0 crashes where the client whose stream it
 * takes away is leaving by itself.
 */
const WITHOUT_FORCE = 0;

/**
 * Serial ports and screens of domains, as streams of libvirt's own protocol: virsh wants a terminal, knows one of the two,
 * and goes on reading when nobody takes what it has read. A connection of their own, for as long as they last.
 */
export class LibvirtConsoles {
  private readonly domains: LibvirtDomains;

  constructor(domains: LibvirtDomains) {
    this.domains = domains;
  }

  async open(host: HostRef, uuid: string, kind: ConsoleKind): Promise<Duplex> {
    const { consoles } = await this.domains.need(host, uuid);
    if ((await this.domains.state(host, uuid)) === 'off') {
      throw refused(host, 'domain_not_running', `Domain ${uuid} is off.`);
    }
    if (!consoles.includes(kind)) {
      throw refused(host, 'console_missing', `Domain ${uuid} was started without a ${kind} console.`);
    }
    return whenFree(() =>
      connect(host.uri, uuid, kind).catch((error: unknown) => {
        throw failureOf(host, error);
      }),
    );
  }
}

class Late extends Error {}

async function connect(uri: string, uuid: string, kind: ConsoleKind): Promise<Duplex> {
  const connection = new RpcConnection(await dialLibvirt(uri));
  // Who uses it hears of its end by "close"; an error has no other reader while it is being opened.
  connection.on('error', () => undefined);
  const timer = setTimeout(() => connection.destroy(new Late()), ANSWER_TIMEOUT_SECONDS * 1000);
  try {
    await openStream(connection, uuid, kind);
    return connection;
  } catch (error) {
    connection.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function openStream(connection: RpcConnection, uuid: string, kind: ConsoleKind): Promise<void> {
  await authenticate(connection);
  await connection.call(PROCEDURE.connectOpen, new XdrWriter().optional('qemu:///system').int(0));
  const id = Buffer.from(uuid.replaceAll('-', ''), 'hex');
  const domain = readDomain(await connection.call(PROCEDURE.lookupByUuid, new XdrWriter().opaque(id)));
  if (kind === 'vnc') {
    await connection.stream(PROCEDURE.openChannel, domain.optional(SCREEN_CHANNEL).int(WITHOUT_FORCE));
  } else {
    await connection.stream(PROCEDURE.openConsole, domain.optional(undefined).int(WITHOUT_FORCE));
  }
}

/** By what the transport has shown already: a socket that is ours to open, SSH, a certificate. */
async function authenticate(connection: RpcConnection): Promise<void> {
  const kinds = await connection.call(PROCEDURE.authList);
  const offered = Array.from({ length: kinds.int() }, () => kinds.int());
  if (offered.includes(AUTH_NONE)) return;
  if (!offered.includes(AUTH_POLKIT)) throw new RpcRefusal('authentication unavailable: it wants SASL');
  await connection.call(PROCEDURE.authPolkit);
}

/** The domain as libvirt wants it named from now on: name, UUID and number. */
function readDomain(reader: XdrReader): XdrWriter {
  const name = reader.string();
  const id = reader.opaque(UUID_BYTES);
  return new XdrWriter().string(name).opaque(id).int(reader.int());
}

function refused(host: HostRef, code: 'domain_not_running' | 'console_missing', message: string) {
  return new HypervisorError(code, message, { details: { host: host.name } });
}

function failureOf(host: HostRef, error: unknown): HypervisorError {
  const details = { host: host.name };
  if (error instanceof RpcRefusal) return classify(host, error.message, 'console');
  if (error instanceof Late) {
    const message = `Host ${host.name} gave no answer within ${ANSWER_TIMEOUT_SECONDS} s.`;
    return new HypervisorError('host_timeout', message, { details });
  }
  const message = `The console's connection to ${host.name} broke.`;
  return new HypervisorError('host_unreachable', message, { details, cause: error });
}
