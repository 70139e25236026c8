import { createHash } from 'node:crypto';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Clock } from '#libs/kernel';
import type { AgentExecResult } from '../port/guest-agent.ts';
import type {
  GuestFacts,
  GuestFault,
  SimulatedDomain,
  SimulatedHost,
  SimulatedVolume,
} from './simulated-fleet.ts';

const metaData = z.looseObject({ 'instance-id': z.string(), 'local-hostname': z.string().optional() });
const cloudConfig = z.looseObject({
  hostname: z.string().optional(),
  ssh_keys: z.looseObject({ ed25519_public: z.string().optional() }).optional(),
  write_files: z.array(z.looseObject({ path: z.string(), content: z.string().optional() })).optional(),
});

/** Another one at each boot (Linux, proc_sys_kernel(5)). */
const BOOT_ID_FILE = '/proc/sys/kernel/random/boot_id';

/** In sectors of 512 bytes. */
const DISK_SIZE_FILE = '/sys/block/vda/size';

/** The content of a part of a multipart document as `composeUserData` writes it. */
const ENCODED_PART = /^Content-Transfer-Encoding: base64\n(?:.+\n)*\n((?:[A-Za-z0-9+/=]+\n)+)/gm;

/** What cloud-init would make of a disk at this boot: a new instance id, a new guest; else nothing changes. */
export function firstBoot(
  domain: SimulatedDomain,
  disk: SimulatedVolume,
  seed: SimulatedVolume | undefined,
): GuestFacts {
  const files = seed?.seed ?? {};
  const meta = metaData.safeParse(parse(files['meta-data'] ?? '')).data;
  if (disk.guest && (meta === undefined || meta['instance-id'] === disk.guest.instanceId)) return disk.guest;
  const configs = [...readConfigs(files['user-data']), ...readConfigs(files['vendor-data'])];
  const givenKey = configs.find((config) => config.ssh_keys?.ed25519_public)?.ssh_keys?.ed25519_public;
  return {
    instanceId: meta?.['instance-id'] ?? 'none',
    hostname: configs.find(({ hostname }) => hostname)?.hostname ?? meta?.['local-hostname'] ?? domain.name,
    hostKey: givenKey === undefined ? madeUpHostKey(disk.name) : bareKey(givenKey),
    passwordDigests: {},
    fileDigests: Object.fromEntries(
      configs
        .flatMap(({ write_files }) => write_files ?? [])
        .map(({ path, content = '' }) => [path, createHash('sha256').update(content).digest('hex')]),
    ),
    settings: 'in_memory',
  };
}

/** What it has written is on its disk. */
export function flushed({ settings, ...guest }: GuestFacts): GuestFacts {
  return { ...guest, ...(settings === 'lost' && { settings }) };
}

/** Its power was cut. */
export function cutOff(guest: GuestFacts): GuestFacts {
  return { ...guest, ...(guest.settings && { settings: 'lost' }) };
}

/** True when a guest that runs has also had its time to boot. */
export function guestIsUp(host: SimulatedHost, domain: SimulatedDomain, clock: Clock): boolean {
  return domain.state === 'running' && clock.now().getTime() - domain.startedAtMs >= host.bootMs;
}

/** A handful of programs, enough to see that arguments, output and exit codes come through; others succeed. */
export function runProgram(
  argv: readonly [string, ...string[]],
  guest: {
    readonly hostname: string;
    readonly fault: GuestFault | null;
    /** What a program reads. */
    readonly input: string;
    readonly bootId: string;
    readonly vcpus: number;
    readonly diskBytes: number;
    /** Whether it may connect to an address. */
    reaches(address: string): boolean;
  },
): AgentExecResult {
  const [program, ...rest] = argv;
  const name = program.split('/').at(-1);
  if (guest.fault === 'exec_fails' || name === 'false') return { exitCode: 1, stdout: '', stderr: '' };
  if (name === 'echo') return { exitCode: 0, stdout: `${rest.join(' ')}\n`, stderr: '' };
  if (rest[0] === BOOT_ID_FILE) return { exitCode: 0, stdout: `${guest.bootId}\n`, stderr: '' };
  if (rest[0] === DISK_SIZE_FILE) return { exitCode: 0, stdout: `${guest.diskBytes / 512}\n`, stderr: '' };
  if (name === 'nproc') return { exitCode: 0, stdout: `${guest.vcpus}\n`, stderr: '' };
  if (name === 'cat') return { exitCode: 0, stdout: guest.input, stderr: '' };
  if (name === 'hostname') return { exitCode: 0, stdout: `${guest.hostname}\n`, stderr: '' };
  if (name === 'nc' && !guest.reaches(rest.at(-2) ?? '')) {
    return { exitCode: 1, stdout: '', stderr: 'timed out' };
  }
  return { exitCode: 0, stdout: '', stderr: '' };
}

/** A well-formed ed25519 public key in OpenSSH's form that nobody has the private half of. */
export function madeUpHostKey(salt: string): string {
  const type = Buffer.from('ssh-ed25519');
  const key = createHash('sha256').update(salt).digest();
  const lengths = [type, key].map((part) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(part.length);
    return Buffer.concat([length, part]);
  });
  return `ssh-ed25519 ${Buffer.concat(lengths).toString('base64')}`;
}

/** The cloud-configs of a document, the strongest first: the later parts of a multipart one go over the earlier. */
function readConfigs(text = ''): z.infer<typeof cloudConfig>[] {
  const parts = [...text.matchAll(ENCODED_PART)].map(([, base64 = '']) =>
    Buffer.from(base64, 'base64').toString('utf8'),
  );
  return [text, ...parts]
    .filter((part) => part.startsWith('#cloud-config\n'))
    .map((part) => cloudConfig.safeParse(parse(part)).data)
    .filter((config) => config !== undefined)
    .toReversed();
}

/** `ssh-ed25519 AAAA… comment` without its comment. */
function bareKey(line: string): string {
  return line.trim().split(/\s+/).slice(0, 2).join(' ');
}
