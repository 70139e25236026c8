import { type Frozen, OUR_DEVICES } from '#libs/hypervisor';
import { newId, newUuid, sleep } from '#libs/kernel';
import type { BenchHost } from './bench-host.ts';
import { inGuest } from './bench-image.ts';
import { AREA_START_BYTES } from './records.ts';

const BOOT_SECONDS = 400;
const MERGE_SECONDS = 300;
const POLL_MS = 100;
const ACKNOWLEDGED = '/tmp/acknowledged';

/** One server on the bench's host, by the port alone: its disk has a name for each generation, as servers' have. */
export class BenchGuest {
  readonly name: string;
  private readonly bench: BenchHost;
  private readonly uuid = newUuid();
  private readonly id = newId();
  private readonly sizeGib: number;
  private generation = 1;

  constructor(bench: BenchHost, name: string, sizeGib: number) {
    this.bench = bench;
    this.name = name;
    this.sizeGib = sizeGib;
  }

  /** The disk that it has. */
  get disk(): string {
    return this.diskOf(this.generation);
  }

  async create(): Promise<void> {
    const { hypervisor, host, image } = this.bench;
    await hypervisor.createOverlay(host, {
      ...{ volumeName: this.disk, base: { image: image.file.volumeName }, sizeGib: this.sizeGib },
    });
    await this.define();
  }

  /** Returns when its agent answers and the bench's programs are there. */
  async boot(): Promise<void> {
    const { hypervisor, host, image } = this.bench;
    await hypervisor.startDomain(host, this.uuid);
    await within(BOOT_SECONDS, 'the guest agent', () => hypervisor.agentPing(host, this.uuid));
    await this.shell(image.unpack);
  }

  /** The disk that it had stays as it was at this moment. @returns its name, and how long the port took */
  async freeze(): Promise<Frozen & { readonly frozenVolume: string; readonly tookMs: number }> {
    const { hypervisor, host } = this.bench;
    const frozenVolume = this.disk;
    const nextVolume = this.diskOf(this.generation + 1);
    const began = performance.now();
    const frozen = await hypervisor.freezeDisk(host, this.uuid, { frozenVolume, nextVolume });
    const tookMs = performance.now() - began;
    this.generation += 1;
    await this.define();
    return { ...frozen, frozenVolume, tookMs };
  }

  async merge(): Promise<void> {
    const { hypervisor, host } = this.bench;
    await within(MERGE_SECONDS, 'merging', async () => {
      const { state } = await hypervisor.mergeLayers(host, this.uuid);
      return state === 'merged';
    });
  }

  /** As roll-back-server does it: off, and on again in an overlay on what was frozen. */
  async rollBack(frozenVolume: string): Promise<void> {
    const { hypervisor, host } = this.bench;
    await this.pullPlug();
    this.generation += 1;
    const base = { frozen: frozenVolume };
    await hypervisor.createOverlay(host, { volumeName: this.disk, base, sizeGib: this.sizeGib });
    await this.define();
  }

  async pullPlug(): Promise<void> {
    await this.bench.hypervisor.destroyDomain(this.bench.host, this.uuid);
  }

  async remove(): Promise<void> {
    await this.bench.hypervisor.undefineDomain(this.bench.host, this.uuid);
  }

  /** The writer goes on from a record, in the background. */
  async write(epoch: number, first: number): Promise<void> {
    const writer = inGuest('writer.pl', AREA_START_BYTES, epoch, first, ACKNOWLEDGED);
    const said = await this.shell(
      `(setsid ${writer} >/tmp/writer.log 2>&1 </dev/null &); sleep 2; cat /tmp/writer.log`,
    );
    if (said !== '') throw new Error(`the writer ended: ${said}`);
    await within(BOOT_SECONDS, 'the first record', async () => (await this.acknowledged()) > first);
  }

  /** How many records the writer has synced by now, at least. */
  async acknowledged(): Promise<number> {
    return Number(await this.shell(`cat ${ACKNOWLEDGED} 2>/dev/null || echo 0`));
  }

  /** What a command prints. @throws Error with what it said */
  async shell(command: string): Promise<string> {
    const { hypervisor, host } = this.bench;
    const argv: [string, ...string[]] = ['/bin/sh', '-c', command];
    const { exitCode, stdout, stderr } = await hypervisor.agentExec(host, this.uuid, argv, {
      timeoutSeconds: 300,
    });
    if (exitCode === 0) return stdout;
    throw new Error(`in the guest, ${command}: exit ${exitCode}, ${stderr.trim()}`);
  }

  private define(): Promise<void> {
    return this.bench.hypervisor.defineDomain(this.bench.host, {
      ...{ uuid: this.uuid, name: this.name, serverId: this.id, vcpus: 1, memoryMib: 256 },
      ...{ diskVolume: this.disk, mac: '52:54:00:00:00:50', ipv4: '10.77.0.50' },
      ...OUR_DEVICES,
    });
  }

  private diskOf(generation: number): string {
    return `${this.name}-${generation}.qcow2`;
  }
}

async function within(seconds: number, what: string, ask: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (!(await ask())) {
    if (Date.now() > deadline) throw new Error(`waited ${seconds} s in vain for ${what}`);
    await sleep(POLL_MS);
  }
}
