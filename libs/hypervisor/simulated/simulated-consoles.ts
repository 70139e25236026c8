import { Duplex } from 'node:stream';
import type { ConsoleKind } from '../port/domains.ts';
import type { HostRef } from '../port/hosts.ts';
import { whenFree } from '../when-free.ts';
import type { SimulatedFleet } from './simulated-fleet.ts';
import { refusal, type SimulatedInventory } from './simulated-inventory.ts';
import { BlankScreen } from './simulated-screen.ts';

/** How often an open console looks whether its domain still runs: other processes switch domains off as well. */
const LOOK_EVERY_MS = 100;

/** The consoles of simulated domains: a terminal that echoes, and a blank screen. */
export class SimulatedConsoles {
  private readonly fleet: SimulatedFleet;
  private readonly inventory: SimulatedInventory;
  /** By domain and kind. */
  private readonly open = new Map<string, Duplex>();

  constructor(fleet: SimulatedFleet, inventory: SimulatedInventory) {
    this.fleet = fleet;
    this.inventory = inventory;
  }

  openConsole(ref: HostRef, uuid: string, kind: ConsoleKind): Promise<Duplex> {
    return whenFree(() => this.openFree(ref, uuid, kind));
  }

  private openFree(ref: HostRef, uuid: string, kind: ConsoleKind): Promise<Duplex> {
    return this.fleet.call(ref, 'openConsole', (host) => {
      const domain = this.inventory.needDomain(host, uuid);
      if (domain.state === 'off') throw refusal(host, 'domain_not_running', `Domain ${uuid} is off.`);
      if (kind === 'vnc' && host.guestFault === 'no_screen') {
        throw refusal(host, 'console_missing', `Domain ${uuid} was started without a screen.`);
      }
      const key = `${uuid} ${kind}`;
      if (this.open.has(key)) throw refusal(host, 'console_busy', `The ${kind} console of ${uuid} is open.`);
      const console = kind === 'vnc' ? new BlankScreen() : new EchoingTerminal(domain.name);
      this.open.set(key, console);
      const look = setInterval(() => {
        const now = this.fleet.domain(host.name, uuid);
        if (now?.state !== domain.state || now.startedAtMs !== domain.startedAtMs) console.destroy();
      }, LOOK_EVERY_MS).unref();
      console.once('close', () => {
        clearInterval(look);
        this.open.delete(key);
      });
      return console;
    });
  }
}

const ENTER = '\r';
/** What makes it print for as long as somebody reads. */
const ENDLESS = 'yes';

/** A login prompt that gives back what is typed. */
class EchoingTerminal extends Duplex {
  private typed = '';
  private isEndless = false;

  constructor(name: string) {
    super({ allowHalfOpen: false });
    this.push(`\r\n${name} login: `);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    const text = chunk.toString('utf8');
    this.typed += text;
    this.push(text.replaceAll(ENTER, '\r\n'));
    const isEntered = this.typed.includes(ENTER);
    if (isEntered && this.typed.startsWith(ENDLESS)) {
      this.isEndless = true;
      this._read();
    }
    if (isEntered) this.typed = '';
    done();
  }

  override _read(): void {
    while (this.isEndless && this.push('y\r\n'.repeat(1000)));
  }
}
