import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile, stat } from 'node:fs/promises';
import { request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { LabError } from './lab.errors.ts';
import type { LabLayout } from './layout.ts';
import { end, listProcesses, namespaceOf, type Process, waitUntil } from './processes.ts';

/** A process of the lab beside its hosts, known by its script and the lab's folder as last argument. */
export interface Service {
  readonly name: 'gateway' | 'relay';
  readonly socket: (lab: LabLayout) => string;
  /** The network namespace to run in; undefined for the machine's own. */
  readonly namespace: (lab: LabLayout) => string | undefined;
}

export const GATEWAY: Service = {
  name: 'gateway',
  socket: (lab) => lab.gatewaySocket,
  namespace: (lab) => lab.namespace,
};
export const RELAY: Service = { name: 'relay', socket: (lab) => lab.relaySocket, namespace: () => undefined };

/** Starts a service unless it runs, in the right namespace, and answers. */
export async function ensureService(lab: LabLayout, service: Service): Promise<void> {
  const running = await findService(lab, service);
  const [only] = running;
  if (
    running.length === 1 &&
    only &&
    (await isAtHome(lab, service, only)) &&
    (await isHealthy(service.socket(lab)))
  )
    return;
  await end(running);
  await startService(lab, service);
}

export async function stopService(lab: LabLayout, service: Service): Promise<void> {
  await end(await findService(lab, service));
}

export async function isServiceHealthy(lab: LabLayout, service: Service): Promise<boolean> {
  return isHealthy(service.socket(lab));
}

async function startService(lab: LabLayout, service: Service): Promise<void> {
  await mkdir(lab.logFolder, { recursive: true });
  const logFile = `${lab.logFolder}/${service.name}.log`;
  const log = openSync(logFile, 'a');
  const node = [
    process.execPath,
    '--conditions=source',
    '--disable-warning=ExperimentalWarning',
    scriptOf(service),
    lab.folder,
  ];
  const namespace = service.namespace(lab);
  const command = namespace ? ['nsenter', `--net=/run/netns/${namespace}`, '--', ...node] : node;
  const child = spawn(command[0] ?? '', command.slice(1), {
    cwd: '/',
    detached: true,
    stdio: ['ignore', log, log],
    env: { PATH: process.env.PATH },
  });
  closeSync(log);
  child.on('error', () => undefined);
  child.unref();
  if (await waitUntil(() => isHealthy(service.socket(lab)), 20)) return;
  const said = (await readFile(logFile, 'utf8').catch(() => '')).trim().split('\n').slice(-3).join(' ');
  throw new LabError(
    'process_failed',
    `The lab's ${service.name} does not start: ${said || 'no reason given'}. Log: ${logFile}`,
  );
}

async function findService(lab: LabLayout, service: Service): Promise<Process[]> {
  const script = `/${service.name}.main.ts`;
  return (await listProcesses()).filter(
    ({ argv }) => argv.at(-2)?.endsWith(script) && argv.at(-1) === lab.folder,
  );
}

async function isAtHome(lab: LabLayout, service: Service, running: Process): Promise<boolean> {
  const namespace = service.namespace(lab);
  if (!namespace) return true;
  const named = await stat(`/run/netns/${namespace}`).catch(() => undefined);
  return (await namespaceOf(running.pid, 'net')) === `net:[${named?.ino}]`;
}

function isHealthy(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = request({ socketPath, path: '/health', timeout: 2000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    probe.once('timeout', () => probe.destroy());
    probe.once('error', () => resolve(false));
    probe.end();
  });
}

const scriptOf = (service: Service) => fileURLToPath(new URL(`${service.name}.main.ts`, import.meta.url));
