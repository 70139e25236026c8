import type { Duplex } from 'node:stream';
import { afterEach, expect, it } from 'vitest';
import { newUuid } from '#libs/kernel';
import type { ConsoleKind } from '../port.ts';
import type { ConformanceContext, ServerPlan } from './conformance-context.ts';
import { planServer } from './conformance-context.ts';
import { refusedAs } from './refused-as.ts';

const ENTER = '\r';
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
    const second = await open(uuid, 'serial');
    await expect.poll(() => serial.isOver(), { timeout: 10_000 }).toBe(true);
    expect(second.isOver()).toBe(false);
    await hypervisor.destroyDomain(host, uuid);
    await expect.poll(() => second.isOver(), { timeout: 10_000 }).toBe(true);
  });

  it('shows the screen of a running guest from the start, as RFB without a password, to the newest alone', async () => {
    const { hypervisor, host } = context();
    const uuid = await start();
    const screen = await open(uuid, 'vnc');
    await expect.poll(() => screen.text()).toBe(RFB_VERSION);
    screen.stream.write(RFB_VERSION);
    await expect.poll(() => screen.text()).toBe(`${RFB_VERSION}${NO_PASSWORD}`);
    const second = await open(uuid, 'vnc');
    await expect.poll(() => screen.isOver(), { timeout: 10_000 }).toBe(true);
    await expect.poll(() => second.text()).toBe(RFB_VERSION);
    await hypervisor.destroyDomain(host, uuid);
    await expect.poll(() => second.isOver(), { timeout: 10_000 }).toBe(true);
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
