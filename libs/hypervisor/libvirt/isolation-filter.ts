import { createHash } from 'node:crypto';
import type { HostRef } from '../port/hosts.ts';
import type { Virsh } from './virsh.ts';
import { writeXml, type XmlTree } from './xml.ts';

/** What every installation's filter of this kind is called by, before its own mark. */
export const ISOLATION_FILTER_PREFIX = 'servery-isolated-';

/** Below them lie the ports of mail, web and names, above them those that clients answer at. */
const LAST_WELL_KNOWN_PORT = 1023;
/** Between `clean-traffic`'s chains against spoofing and its rule that lets all else of IPv4 out. */
const BEFORE_ALL_IPV4 = { allow: -670, drop: -660 } as const;

/**
 * The network filter of guests that are reached and answer, and open no connection (formatnwfilter.html): `clean-traffic`,
 * and two walls. The exact one goes by connection states. The kernel shows it bridged packets only while
 * `bridge-nf-call-iptables` is on, which nobody can see through libvirt; so the bridge itself drops what leaves for
 * well-known ports too.
 */
export class IsolationFilter {
  readonly name: string;
  readonly xml: string;
  private readonly virsh: Virsh;
  private readonly mark: string;

  constructor(virsh: Virsh, installationId: string, allows: readonly string[]) {
    const digest = createHash('sha256').update(installationId).digest();
    this.virsh = virsh;
    this.name = `${ISOLATION_FILTER_PREFIX}${digest.toString('hex', 0, 6)}`;
    const networks = allows.map(readNetwork);
    this.mark = markOf(filterTree(this.name, uuidOf(digest), networks, ''));
    this.xml = writeXml(filterTree(this.name, uuidOf(digest), networks, this.mark));
  }

  /** Defines it where it is not there as it should be; guests that have it get the new one at once. */
  async ensure(host: HostRef): Promise<void> {
    const { outputs } = await this.virsh.script(host, [['nwfilter-dumpxml', '--nwfilter', this.name]]);
    if (outputs[0]?.includes(this.mark)) return;
    await this.virsh.run(host, ['nwfilter-define', '--file', '/dev/stdin'], { input: this.xml });
  }
}

interface Network {
  readonly dstipaddr: string;
  readonly dstipmask: string;
}

function readNetwork(text: string): Network {
  const [dstipaddr = '', dstipmask = '32'] = text.split('/');
  return { dstipaddr, dstipmask };
}

function filterTree(name: string, uuid: string, networks: readonly Network[], mark: string): XmlTree {
  const ports = { '@dstportstart': '0', '@dstportend': String(LAST_WELL_KNOWN_PORT) };
  return {
    filter: {
      '@name': name,
      '@chain': 'root',
      uuid,
      filterref: { '@filter': 'clean-traffic' },
      rule: [
        ...networks.map((network) =>
          rule('accept', 'out', BEFORE_ALL_IPV4.allow, { ip: attributes(network) }),
        ),
        ...['tcp', 'udp'].map((protocol) =>
          rule('drop', 'out', BEFORE_ALL_IPV4.drop, { ip: { '@protocol': protocol, ...ports } }),
        ),
        rule('accept', 'out', 100, { all: { '@state': 'ESTABLISHED,RELATED', '@comment': mark } }),
        rule('accept', 'in', 200, { all: { '@state': 'NEW,ESTABLISHED,RELATED' } }),
        ...networks.map((network) => rule('accept', 'out', 300, { all: attributes(network) })),
        rule('drop', 'inout', 1000, { all: {} }),
      ],
    },
  };
}

function rule(
  action: 'accept' | 'drop',
  direction: 'in' | 'out' | 'inout',
  priority: number,
  match: XmlTree,
) {
  return { '@action': action, '@direction': direction, '@priority': String(priority), ...match };
}

function attributes(network: Network): XmlTree {
  return Object.fromEntries(Object.entries(network).map(([key, value]) => [`@${key}`, value]));
}

/** Tells what is defined from what should be: libvirt writes a filter anew, but for the comments of its rules. */
function markOf(tree: XmlTree): string {
  return `servery ${createHash('sha256').update(writeXml(tree)).digest('hex').slice(0, 16)}`;
}

/** A UUID (version 8, RFC 9562): libvirt replaces a filter of a name only by one of the same UUID. */
function uuidOf(digest: Buffer): string {
  const bytes = Buffer.from(digest.subarray(0, 16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
