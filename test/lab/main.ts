import { parseArgs } from 'node:util';
import { DomainError } from '#libs/kernel';
import { type Lab, LabError, type LabStatus, openLab, startLab, stopLab } from './index.ts';

const USAGE = `A fleet of real libvirt hosts on this machine.

  npm run lab -- up [--hosts 2] [--disk-gib N]   start it, or bring it back to health
  npm run lab -- status                          how its hosts are
  npm run lab -- kill HOST                       power loss: libvirt and all guests end at once
  npm run lab -- cut HOST                        pull its network cables
  npm run lab -- freeze HOST | thaw HOST         stop it in its tracks, let it go on
  npm run lab -- fill HOST                       no space left on its disk (needs up --disk-gib)
  npm run lab -- heal HOST                       undo all of the above
  npm run lab -- down [--purge]                  end it; with --purge, remove its disks as well

  --folder F   where it lives (default: $SERVERY_DATA_DIR/lab or .servery/lab); each folder is a lab of its own
  --json       answer for programs
`;

const OPTIONS = {
  hosts: { type: 'string' },
  'disk-gib': { type: 'string' },
  folder: { type: 'string' },
  json: { type: 'boolean', default: false },
  purge: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

const LEVERS = ['kill', 'cut', 'freeze', 'thaw', 'fill', 'heal'] as const;
type Lever = (typeof LEVERS)[number];

async function main(argv: readonly string[]): Promise<void> {
  const { values, positionals } = readArguments(argv);
  const [command, host, ...rest] = positionals;
  if (values.help || command === undefined) return void process.stdout.write(USAGE);
  const folder = values.folder ?? `${process.env.SERVERY_DATA_DIR || '.servery'}/lab`;
  const print = values.json ? printJson : printStatus;
  if (isLever(command)) {
    if (host === undefined || rest.length > 0)
      throw new LabError('bad_argument', `Name one host: lab ${command} kvm1`);
    const lab = await openLab(folder);
    await withProgress(`${command} ${host}`, () => lab[command](host));
    return print(lab);
  }
  if (host !== undefined)
    throw new LabError('bad_argument', `"lab ${command}" takes no ${JSON.stringify(host)}. See: lab --help`);
  if (command === 'up') return print(await up(folder, values));
  if (command === 'status') return print(await openLab(folder));
  if (command === 'down') return withProgress('lab down', () => stopLab(folder, { purge: values.purge }));
  throw new LabError('bad_argument', `The lab knows no ${JSON.stringify(command)}. See: lab --help`);
}

async function up(
  folder: string,
  values: { hosts?: string | undefined; 'disk-gib'?: string | undefined },
): Promise<Lab> {
  const hosts = wholeNumber('--hosts', values.hosts);
  const diskGib = wholeNumber('--disk-gib', values['disk-gib']);
  const started = performance.now();
  let finish: () => void = () => undefined;
  const onStep = (title: string) => {
    finish();
    finish = startProgress(title);
  };
  try {
    const lab = await startLab({
      folder,
      onStep,
      ...(hosts !== undefined && { hosts }),
      ...(diskGib !== undefined && { diskGib }),
    });
    finish();
    process.stderr.write(`lab: up in ${seconds(started)} s\n`);
    return lab;
  } catch (error) {
    process.stderr.write('\n');
    throw error;
  }
}

async function printJson(lab: Lab): Promise<void> {
  process.stdout.write(`${JSON.stringify({ ...lab.description, status: await lab.status() }, null, 2)}\n`);
}

async function printStatus(lab: Lab): Promise<void> {
  const status: LabStatus = await lab.status();
  for (const host of status.hosts) {
    const state = `${host.state}${host.full ? ', full' : ''}`;
    process.stdout.write(
      `${host.name.padEnd(6)} ${state.padEnd(13)} ${String(host.guests).padStart(3)} guests  ${host.uri}\n`,
    );
  }
  const services = [
    `gateway ${status.gateway ? 'running' : 'down'}`,
    `relay ${status.relay ? 'running' : 'down'}`,
  ];
  process.stdout.write(
    `${services.join(', ')}; guests at ${lab.description.network.cidr}; folder ${lab.description.folder}\n`,
  );
}

async function withProgress(title: string, work: () => Promise<void>): Promise<void> {
  const finish = startProgress(title);
  await work();
  finish();
}

/** Says what runs and, every two seconds, that it still runs; the returned function ends the line. */
function startProgress(title: string): () => void {
  const started = performance.now();
  process.stderr.write(`lab: ${title} …`);
  const timer = setInterval(() => process.stderr.write(` ${seconds(started)} s …`), 2000);
  timer.unref();
  return () => {
    clearInterval(timer);
    process.stderr.write(` done (${seconds(started)} s)\n`);
  };
}

function readArguments(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new LabError(
      'bad_argument',
      `${error instanceof Error ? error.message : String(error)} See: lab --help`,
      error,
    );
  }
}

function wholeNumber(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[0-9]{1,6}$/.test(text))
    throw new LabError('bad_argument', `${option} takes a whole number, not ${JSON.stringify(text)}.`);
  return Number(text);
}

const isLever = (command: string): command is Lever => (LEVERS as readonly string[]).includes(command);
const seconds = (since: number) => ((performance.now() - since) / 1000).toFixed(1);

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(
    `lab: ${error instanceof DomainError ? error.message : error instanceof Error ? error.stack : String(error)}\n`,
  );
  process.exitCode = error instanceof LabError && error.code === 'bad_argument' ? 2 : 1;
}
