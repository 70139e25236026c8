import type { Duplex } from 'node:stream';
import { afterEach, expect, it } from 'vitest';
import { newUuid } from '#libs/kernel';
import type { ConsoleKind } from '../port/domains.ts';
import type { ConformanceContext, ServerPlan } from './conformance-context.ts';
import { planServer } from './conformance-context.ts';
import { refusedAs } from './refused-as.ts';

const ENTER = '\r';
const WINDOWS = 24;
const RFB_VERSION = 'RFB 003.008\n';
/** One kind of security, and it is none. */
const NO_PASSWORD = '\u0001\u0001';

/** The part of the suite that looks at machines from outside. */
export function describeConsoles(context: () => ConformanceContext): void {
  let plan: ServerPlan | undefined;
  const start = async () => {
    const { hypervisor, host } = context();
    const made = planServer(context());
    plan = made;
    await hypervisor.createOverlay(host, made.overlay);
    await hypervisor.createSeed(host, made.seed);
    await hypervisor.defineDomain(host, made.domain);
    await hypervisor.startDomain(host, made.domain.uuid);
    return made.domain.uuid;
  };
  const open = async (uuid: string, kind: ConsoleKind) =>
    heard(await context().hypervisor.openConsole(context().host, uuid, kind));
  afterEach(async () => {
    const { hypervisor, host } = context();
    if (!plan) return;
    await hypervisor.undefineDomain(host, plan.domain.uuid);
    await hypervisor.deleteVolume(host, plan.domain.diskVolume);
    await hypervisor.deleteVolume(host, plan.seed.volumeName);
    plan = undefined;
  });

  it('shows the serial port of a running guest, and gives back what is typed', async () => {
    const { hypervisor, host, bootSeconds } = context();
    const uuid = await start();
    const serial = await open(uuid, 'serial');
    const timeout = bootSeconds * 1000;
    await expect.poll(() => serial.text(), { timeout }).toMatch(/login: |\/ # /);
    serial.stream.write(`console-works${ENTER}`);
    await expect.poll(() => serial.text(), { timeout: 30_000 }).toContain('console-works');
    await expect(open(uuid, 'serial')).rejects.toEqual(refusedAs('console_busy'));
    expect(serial.isOver()).toBe(false);
    serial.stream.destroy();
    const second = await open(uuid, 'serial');
    await hypervisor.destroyDomain(host, uuid);
    await expect.poll(() => second.isOver(), { timeout: 10_000 }).toBe(true);
  });

  it('shows the screen of a running guest from the start, as RFB without a password, to one at a time', async () => {
    const { hypervisor, host } = context();
    const uuid = await start();
    const screen = await open(uuid, 'vnc');
    await expect.poll(() => screen.text()).toBe(RFB_VERSION);
    screen.stream.write(RFB_VERSION);
    await expect.poll(() => screen.text()).toBe(`${RFB_VERSION}${NO_PASSWORD}`);
    await expect(open(uuid, 'vnc')).rejects.toEqual(refusedAs('console_busy'));
    expect(screen.isOver()).toBe(false);
    screen.stream.destroy();
    const second = await open(uuid, 'vnc');
    await expect.poll(() => second.text()).toBe(RFB_VERSION);
    await hypervisor.destroyDomain(host, uuid);
    await expect.poll(() => second.isOver(), { timeout: 10_000 }).toBe(true);
  });

  it('is opened by one window after another, each gone before the next, and the host is as it was', async () => {
    const { hypervisor, host } = context();
    const uuid = await start();
    for (let window = 0; window < WINDOWS; window += 1) {
      const { stream } = await open(uuid, window % 2 === 0 ? 'serial' : 'vnc');
      stream.on('error', () => undefined).write(ENTER);
      stream.destroy();
    }
    const last = await open(uuid, 'serial');
    await hypervisor.destroyDomain(host, uuid);
    await expect.poll(() => last.isOver(), { timeout: 10_000 }).toBe(true);
    expect(await hypervisor.domainState(host, uuid)).toBe('off');
  });

  it('opens nothing of a domain that is off, missing, or another installation’s', async () => {
    const { hypervisor, stranger, host } = context();
    const uuid = await start();
    await expect(stranger.openConsole(host, uuid, 'serial')).rejects.toEqual(
      refusedAs('domain_exists_foreign'),
    );
    await hypervisor.destroyDomain(host, uuid);
    await expect(hypervisor.openConsole(host, uuid, 'vnc')).rejects.toEqual(refusedAs('domain_not_running'));
    await expect(hypervisor.openConsole(host, newUuid(), 'vnc')).rejects.toEqual(refusedAs('domain_missing'));
  });
}

/** What a stream has said so far, byte by byte. */
function heard(stream: Duplex) {
  let text = '';
  stream.on('data', (bytes: Buffer) => {
    text += bytes.toString('latin1');
  });
  return { stream, text: () => text, isOver: () => stream.destroyed };
}
