import { HypervisorError } from '../hypervisor.errors.ts';
import { type Guest, runInGuest } from './guest-program.ts';
import { LOOK_AT_BOOT, SURVEY } from './survey-program.ts';

export interface SurveyedDisk {
  readonly mountPoint: string;
  readonly sizeKib: number;
  readonly usedKib: number;
}

/** What a system consists of and what it does, at one moment, by its own account: plain values, all of them bounded. */
export interface GuestSurvey {
  readonly kernel: string | null;
  /** Another one after each boot. */
  readonly bootId: string | null;
  /** From the start of its kernel until everything was started; null where the system does not say, or not yet. */
  readonly bootMilliseconds: number | null;
  /** Versions of what is installed, by name. */
  readonly packages: Readonly<Record<string, string>>;
  /** Those that are not inactive, by name, in systemd's words: `active/running`. */
  readonly services: Readonly<Record<string, string>>;
  readonly failedUnits: readonly string[];
  /** `tcp 0.0.0.0:22`, `udp [::]:546`. */
  readonly listening: readonly string[];
  readonly disks: readonly SurveyedDisk[];
  /** How many lines were none that such a system prints, or too many. */
  readonly leftOut: number;
}

const TIMEOUT_SECONDS = 120;
/** A little more than all that the program prints. */
const MAX_CHARACTERS = 4_000_000;
const MAX_ENTRIES = 10_000;
const MAX_DISKS = 50;
/** Ports from here on are given to whoever asks for any. */
const FIRST_EPHEMERAL_PORT = 32_768;

const PACKAGE = /^[a-z0-9][a-z0-9+._:~-]{0,199}$/i;
const VERSION = /^[a-z0-9][a-z0-9+._:~^-]{0,199}$/i;
const UNIT = /^[a-z0-9:_.@\\-]{1,230}\.[a-z]{4,12}$/i;
const WORD = /^[a-z-]{1,40}$/;
const KERNEL = /^[a-z0-9+._~-]{1,100}$/i;
const BOOT_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const MOUNT_POINT = /^\/[\x21-\x7e]{0,199}$/;

/** Asks a guest. @throws HypervisorError `agent_not_answering`, `agent_refused` */
export async function surveyGuest(guest: Guest): Promise<GuestSurvey> {
  const printed = await runInGuest(guest, SURVEY, { timeoutSeconds: TIMEOUT_SECONDS });
  if (printed !== undefined) return parseSurvey(printed);
  throw new HypervisorError('agent_refused', `Guest ${guest.uuid} does not run the survey.`);
}

/** The boot that a guest is in, and whether all of it has been started. @throws HypervisorError as `surveyGuest` */
export async function lookAtBoot(
  guest: Guest,
): Promise<{ readonly bootId: string; readonly isOver: boolean }> {
  const printed = await runInGuest(guest, LOOK_AT_BOOT, { timeoutSeconds: TIMEOUT_SECONDS });
  const [bootId = '', ...lines] = (printed ?? '').slice(0, 1000).split('\n');
  if (BOOT_ID.test(bootId)) {
    return { bootId, isOver: lines.some((line) => line === 'other' || millisecondsOf(line) !== null) };
  }
  throw new HypervisorError('agent_refused', `Guest ${guest.uuid} does not say which boot it is in.`);
}

/** Reads what a guest printed, which may be anything: what is not of the expected form is left out. Never throws. */
export function parseSurvey(printed: string): GuestSurvey {
  const sections = sectionsOf(printed.slice(0, MAX_CHARACTERS));
  const reader = new Reader(sections);
  const [kernel = ''] = sections.get('kernel') ?? [];
  const [bootId = '', finished = ''] = sections.get('boot') ?? [];
  return {
    kernel: KERNEL.test(kernel) ? kernel : null,
    bootId: BOOT_ID.test(bootId) ? bootId : null,
    bootMilliseconds: millisecondsOf(finished),
    packages: reader.record('packages', readPackage),
    services: reader.record('services', readService),
    failedUnits: reader.list('failed', (line) => readUnit(line)?.[0]),
    listening: reader.list('sockets', readSocket),
    disks: reader.disks(),
    leftOut: reader.leftOut,
  };
}

type Entry = readonly [name: string, value: string];

/** Each read of a section counts what it leaves out. */
class Reader {
  leftOut = 0;
  private readonly sections: ReadonlyMap<string, readonly string[]>;

  constructor(sections: ReadonlyMap<string, readonly string[]>) {
    this.sections = sections;
  }

  /** What is there in several versions, as kernels are, is one entry with all of them. */
  record(section: string, read: (line: string) => Entry | null | undefined): Record<string, string> {
    const found = new Map<string, string>();
    for (const [name, value] of this.all(section, MAX_ENTRIES, read)) {
      const known = found.get(name);
      found.set(name, (known === undefined ? value : `${known}, ${value}`).slice(0, 200));
    }
    return Object.fromEntries(found);
  }

  list(section: string, read: (line: string) => string | null | undefined): string[] {
    return [...new Set(this.all(section, MAX_ENTRIES, read))].sort();
  }

  disks(): SurveyedDisk[] {
    return this.all('disks', MAX_DISKS, readDisk);
  }

  /** `read` gives null for what is rightly no entry, and undefined for what should not be there. */
  private all<T>(section: string, most: number, read: (line: string) => T | null | undefined): T[] {
    const found: T[] = [];
    for (const line of this.sections.get(section) ?? []) {
      const entry = read(line);
      if (entry === null) continue;
      if (entry === undefined || found.length >= most) this.leftOut += 1;
      else found.push(entry);
    }
    return found;
  }
}

/** The lines below each headline; a headline that comes again counts for nothing. */
function sectionsOf(printed: string): Map<string, string[]> {
  const sections = new Map<string, string[]>();
  for (const part of printed.split('\n@@').slice(1)) {
    const [name = '', ...lines] = part.split('\n');
    if (!sections.has(name)) {
      sections.set(
        name,
        lines.map((line) => line.trim()).filter((line) => line !== ''),
      );
    }
  }
  return sections;
}

function readPackage(line: string): Entry | null | undefined {
  const [status = '', name = '', version = ''] = line.split('\t');
  // Known to the package manager, and not installed.
  if (/^[urhp]n$|^[rp]c$/.test(status.trim())) return null;
  return PACKAGE.test(name) && VERSION.test(version) ? [name, version] : undefined;
}

/** `UNIT LOAD ACTIVE SUB DESCRIPTION` */
function readUnit(line: string): Entry | undefined {
  const [unit = '', , active = '', sub = ''] = line.split(/\s+/);
  return UNIT.test(unit) && WORD.test(active) && WORD.test(sub) ? [unit, `${active}/${sub}`] : undefined;
}

function readService(line: string): Entry | null | undefined {
  const unit = readUnit(line);
  // What has nothing to do is listed or not as systemd likes.
  return unit?.[1].startsWith('inactive/') ? null : unit;
}

/** `tcp6 00000000000000000000000000000000:0016`, as /proc/net has it. */
function readSocket(line: string): string | null | undefined {
  const match = /^(tcp|udp)(6?) ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})$/.exec(line);
  if (!match) return undefined;
  const [, kind, six, hex = '', portHex = ''] = match;
  if ((six === '6') !== (hex.length === 32)) return undefined;
  const port = Number.parseInt(portHex, 16);
  if (port === 0 || (kind === 'udp' && port >= FIRST_EPHEMERAL_PORT)) return null;
  return `${kind} ${six ? `[${ipv6Of(hex)}]` : ipv4Of(hex)}:${port}`;
}

/** The kernel prints each 32-bit word of an address in the byte order of the machine, which is little-endian here. */
function bytesOf(hex: string): Buffer {
  return Buffer.from(hex, 'hex').swap32();
}

function ipv4Of(hex: string): string {
  return bytesOf(hex).join('.');
}

/** As RFC 5952 writes it. */
function ipv6Of(hex: string): string {
  const bytes = bytesOf(hex);
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}

/** `/dev/vda1 4053744 1234567 2593768 33% /` */
function readDisk(line: string): SurveyedDisk | null | undefined {
  if (!line.startsWith('/dev/')) return null;
  const match = /^\S+\s+(\d{1,15})\s+(\d{1,15})\s+-?\d{1,15}\s+\S+\s+(.+)$/.exec(line);
  const [, size = '', used = '', mountPoint = ''] = match ?? [];
  if (!MOUNT_POINT.test(mountPoint)) return undefined;
  return { mountPoint, sizeKib: Number(size), usedKib: Number(used) };
}

/** `FinishTimestampMonotonic=4711000`, in microseconds; 0 while the boot goes on. */
function millisecondsOf(line: string): number | null {
  const [, microseconds] = /^FinishTimestampMonotonic=([1-9]\d{0,14})$/.exec(line) ?? [];
  return microseconds === undefined ? null : Math.round(Number(microseconds) / 1000);
}
