import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { ServerWire } from '#libs/contracts';
import { ensureDaemon, type ReadyProbe, runningPid } from '../services/daemon.ts';
import { freePort } from '../services/ports.ts';
import type { LabDescription } from './lab-description.ts';
import { loadState, saveState, type UpState } from './state.ts';

export interface UpOptions {
  /** The root of the checkout. */
  readonly root: string;
  /** The data folder, absolute. */
  readonly folder: string;
  /** Of the catalog, beside those that `up` cooks by itself. */
  readonly moreAppliances: readonly string[];
  /** Aborts when the one who runs `up` asks it to stop. */
  readonly signal: AbortSignal;
}

/** What the steps of `up` share: where everything lies, and what earlier steps found out. */
export class Up {
  readonly root: string;
  readonly folder: string;
  readonly moreAppliances: readonly string[];
  readonly signal: AbortSignal;
  readonly state: UpState;
  databaseUrl = '';
  redisUrl = '';
  /** Absent where hosts of the operator's own are used. */
  lab: LabDescription | undefined;
  /** The server of the main job and how to log in to it. */
  demo: { readonly server: ServerWire; readonly sshCommand: string } | undefined;
  /** The address of the Stripe emulator; absent where a Stripe key is set. */
  stripeEmulatorUrl: string | undefined;
  /** Where mails are read; absent where an SMTP_URL is set. */
  mailUrl: string | undefined;

  private constructor(options: UpOptions, state: UpState) {
    this.root = options.root;
    this.folder = options.folder;
    this.moreAppliances = options.moreAppliances;
    this.signal = options.signal;
    this.state = state;
  }

  static async open(options: UpOptions): Promise<Up> {
    const up = new Up(options, await loadState(options.folder));
    for (const name of ['api', 'worker', 'stripe', 'mail'] as const) await up.#claimPort(name, name);
    await up.#claimPort('smtp', 'mail');
    return up;
  }

  get url(): string {
    return `http://127.0.0.1:${this.state.ports.api}`;
  }

  get imagesFolder(): string {
    return process.env.SERVERY_IMAGES_DIR || join(this.folder, 'images');
  }

  /** The checkout's own unless told. */
  get catalogFolder(): string {
    return resolve(this.root, process.env.SERVERY_CATALOG_DIR || 'catalog');
  }

  /** Keeps the port of a daemon that runs; else makes sure that it is free, or takes another. */
  async #claimPort(name: keyof UpState['ports'], daemon: string): Promise<void> {
    if (await runningPid(this.folder, daemon)) return;
    const port = await freePort(this.state.ports[name]);
    if (port === this.state.ports[name]) return;
    this.state.ports[name] = port;
    await saveState(this.folder, this.state);
  }

  /** Starts one of our own programs, `entry` below dist/, unless it runs already from the same build. */
  async ensureProgram(
    name: string,
    entry: string,
    environment: NodeJS.ProcessEnv,
    isReady: ReadyProbe,
  ): Promise<void> {
    await ensureDaemon(
      {
        folder: this.folder,
        name,
        command: process.execPath,
        args: ['--enable-source-maps', join(this.root, 'dist', entry)],
        environment,
        version: await this.build(),
        stopGraceSeconds: 60,
      },
      isReady,
      120,
    );
  }

  /** The environment of the API and the worker: see libs/config. */
  environment(): NodeJS.ProcessEnv {
    const { ports, secretKey } = this.state;
    return {
      ...inherited(),
      DATABASE_URL: this.databaseUrl,
      REDIS_URL: this.redisUrl,
      SERVERY_URL: this.url,
      SERVERY_PORT: String(ports.api),
      SERVERY_WORKER_PORT: String(ports.worker),
      SERVERY_SECRET_KEY: secretKey,
      SERVERY_DATA_DIR: this.folder,
      SERVERY_IMAGES_DIR: this.imagesFolder,
      SERVERY_EXPORTS_DIR: join(this.folder, 'exports'),
      SERVERY_IMPORTS_DIR: join(this.folder, 'imports'),
      SERVERY_STOREFRONT_DIR: join(this.root, 'dist/apps/storefront'),
      SERVERY_CATALOG_DIR: this.catalogFolder,
      // One folder unless told, so that packages and the roots of bases are kept once.
      SERVERY_COOKS_DIR: process.env.SERVERY_COOKS_DIR || this.imagesFolder,
      ...(this.lab && { SERVERY_GUEST_PROXY: this.lab.guestProxy, SERVERY_RELAY_SOCKET: this.lab.relay }),
      ...(this.stripeEmulatorUrl && {
        STRIPE_SECRET_KEY: this.state.stripe.secretKey,
        STRIPE_WEBHOOK_SECRET: this.state.stripe.webhookSecret,
        STRIPE_API_HOST: '127.0.0.1',
        STRIPE_API_PORT: String(ports.stripe),
      }),
      ...(this.mailUrl && { SMTP_URL: `smtp://127.0.0.1:${ports.smtp}`, MAIL_FROM: DEMO_SENDER }),
    };
  }

  private async build(): Promise<string> {
    return readFile(join(this.root, 'dist/.built'), 'utf8').catch(() => '');
  }
}

const DEMO_SENDER = 'Servery <servery@example.com>';

/** Settings that the operator may give to `up` and that it passes on; the rest of the shell stays outside. */
const PASSED_ON = [
  'PATH',
  'HOME',
  'LANG',
  'NODE_ENV',
  'LOG_LEVEL',
  'SERVERY_FORMER_SECRET_KEYS',
  'SERVERY_CURRENCY',
  'SERVERY_EXPORT_KEEP_DAYS',
  'SERVERY_IMPORT_MAX_FILE_GIB',
  'SERVERY_IMPORT_MAX_DISK_GIB',
  'SERVERY_IMPORTS_PER_PROJECT',
  'SERVERY_UPLOAD_KEEP_HOURS',
  'SERVERY_COOKS_AT_ONCE',
  'SERVERY_COOK_MINUTES',
  'SERVERY_RECIPES_PER_PROJECT',
  'SERVERY_RESTORE_TESTS_A_DAY',
  'SERVERY_RESTORE_TEST_HOURS',
  'SERVERY_APT_MIRROR',
  'SERVERY_LEASE_SECONDS',
  'SERVERY_RECONCILE_SECONDS',
  'SERVERY_WORKER_CONCURRENCY',
  'SERVERY_ISOLATED_NETWORK_ALLOWS',
  'SERVERY_METRICS_TOKEN',
  'SERVERY_KEEP_DAYS',
  'SERVERY_AUDIT_KEEP_DAYS',
  'SERVERY_REQUIRE_CONFIRMED_EMAIL',
  'SMTP_URL',
  'MAIL_FROM',
  'STRIPE_SECRET_KEY',
  'STRIPE_WEBHOOK_SECRET',
];

function inherited(): NodeJS.ProcessEnv {
  return Object.fromEntries(PASSED_ON.map((name) => [name, process.env[name]]).filter(([, value]) => value));
}
