import type { DomainSample } from '../port/domains.ts';
import type { HostRef } from '../port/hosts.ts';
import { isOwnDisk } from './domain-xml.ts';
import type { Virsh } from './virsh.ts';

const TIMEOUT_SECONDS = 60;
const NANOSECONDS_PER_MILLISECOND = 1_000_000;
const STATS = ['--cpu-total', '--block', '--interface'];

/** Asks for all running domains of a host at once; one that is at work on something else is not waited for. */
export async function sampleDomains(virsh: Virsh, host: HostRef): Promise<DomainSample[]> {
  const { outputs } = await virsh.script(
    host,
    [
      ['list', '--state-running', '--uuid', '--name'],
      ['domstats', ...STATS, '--list-running', '--nowait'],
    ],
    { timeoutSeconds: TIMEOUT_SECONDS },
  );
  return readSamples(outputs[0] ?? '', outputs[1] ?? '');
}

/**
 * @param listing a UUID and a name on each line
 * @param stats what `virsh domstats` prints: a block for each domain, which begins with its name
 */
export function readSamples(listing: string, stats: string): DomainSample[] {
  const uuids = new Map(
    [...listing.matchAll(/^\s*([0-9a-f-]{36})\s+(\S+)\s*$/gm)].map(([, uuid = '', name = '']) => [
      name,
      uuid,
    ]),
  );
  return stats.split(/^Domain: /m).flatMap((block) => {
    const uuid = uuids.get(/^'(.*)'/.exec(block)?.[1] ?? '');
    const values = new Map(
      [...block.matchAll(/^\s+([\w.-]+)=(.*)$/gm)].map(([, key = '', value = '']) => [key, value]),
    );
    return uuid === undefined || !values.has('cpu.time') ? [] : [sampleOf(uuid, values)];
  });
}

/** The seed, where it is still there, counts for nothing. */
function sampleOf(uuid: string, values: ReadonlyMap<string, string>): DomainSample {
  const number = (key: string) => Number(values.get(key) ?? 0);
  const disks = Array.from({ length: number('block.count') }, (_, index) => `block.${index}`);
  const disk = disks.find((one) => isOwnDisk(values.get(`${one}.name`) ?? '')) ?? '';
  return {
    uuid,
    cpuMilliseconds: Math.round(number('cpu.time') / NANOSECONDS_PER_MILLISECOND),
    diskReads: number(`${disk}.rd.reqs`),
    diskWrites: number(`${disk}.wr.reqs`),
    diskReadBytes: number(`${disk}.rd.bytes`),
    diskWrittenBytes: number(`${disk}.wr.bytes`),
    packetsIn: number('net.0.rx.pkts'),
    packetsOut: number('net.0.tx.pkts'),
    bytesIn: number('net.0.rx.bytes'),
    bytesOut: number('net.0.tx.bytes'),
  };
}
