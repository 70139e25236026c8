import { once } from 'node:events';
import { readFile, statfs } from 'node:fs/promises';
import { connect } from 'node:net';
import { freemem } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import pc from 'picocolors';
import { urlHost } from '#libs/kernel';
import { dataFolder, findRoot } from './places.ts';
import { runningPid } from './services/daemon.ts';
import { run } from './services/run.ts';
import { daemons } from './up/steps.ts';

type Level = 'good' | 'warning' | 'bad';

/** What one look at the machine found, and what to do about it. */
interface Finding {
  readonly level: Level;
  readonly text: string;
  readonly advice?: string;
}

type Check = (places: { root: string; folder: string }) => Promise<readonly Finding[]>;

const GIB = 1024 ** 3;
const NEEDED_DISK_GIB = 10;
const NEEDED_MEMORY_GIB = 3;

const checks: readonly Check[] = [node, packages, virtualization, disk, memory, programs, databases, stripe];

export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .description('look at this machine and say what is missing and what to do')
    .action(async () => {
      const root = findRoot();
      const folder = dataFolder(root);
      const findings = (await Promise.all(checks.map((check) => check({ root, folder })))).flat();
      for (const finding of findings) process.stdout.write(`${line(finding)}\n`);
      if (findings.some((finding) => finding.level === 'bad')) process.exitCode = 1;
    });
}

function line({ level, text, advice }: Finding): string {
  const mark = { good: pc.green('✔'), warning: pc.yellow('!'), bad: pc.red('✖') }[level];
  return `${mark} ${text}${advice ? `\n    → ${advice}` : ''}`;
}

async function node(): Promise<Finding[]> {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const text = `Node ${process.versions.node}`;
  if (major > 24 || (major === 24 && minor >= 11)) return [{ level: 'good', text }];
  return [{ level: 'bad', text, advice: 'npm run up fetches Node 24 for itself' }];
}

async function packages({ root }: { root: string }): Promise<Finding[]> {
  const lists = await Promise.all(
    ['services', 'lab', 'hypervisor', 'volumes', 'cook', 'up'].map((name) =>
      readFile(join(root, 'scripts/packages', `${name}.txt`), 'utf8').catch(() => ''),
    ),
  );
  const lines = lists.join('\n').split('\n');
  const wanted = new Set(
    lines.map((text) => text.replace(/#.*/, '').trim().split(/\s+/)[0] ?? '').filter(Boolean),
  );
  const format = `--showformat=\${db:Status-Status} \${Package}\\n`;
  const shown = await run('dpkg-query', ['--show', format], 20).catch(() => undefined);
  if (shown === undefined) {
    return [{ level: 'warning', text: 'no dpkg here', advice: `make sure of: ${[...wanted].join(' ')}` }];
  }
  const installed = new Set(shown.split('\n').map((text) => text.replace(/^installed /, '')));
  const missing = [...wanted].filter((name) => !installed.has(name));
  if (missing.length === 0) return [{ level: 'good', text: `${wanted.size} Debian packages` }];
  const advice = `apt-get install ${missing.join(' ')}   (npm run up does it)`;
  return [{ level: 'bad', text: `Debian packages are missing: ${missing.join(', ')}`, advice }];
}

/** A device file proves nothing, so this only says what a probe guest on each host decides when it is added. */
async function virtualization(): Promise<Finding[]> {
  const cpu = await readFile('/proc/cpuinfo', 'utf8').catch(() => '');
  const text = /\b(vmx|svm)\b/.test(cpu)
    ? 'the processor offers virtualization; a probe guest decides on each host whether KVM works'
    : 'the processor offers no virtualization: guests run under emulation, and boot in about a minute';
  return [{ level: /\b(vmx|svm)\b/.test(cpu) ? 'good' : 'warning', text }];
}

async function disk({ folder, root }: { folder: string; root: string }): Promise<Finding[]> {
  const stats = await statfs(folder).catch(() => statfs(root));
  const freeGib = (stats.bavail * stats.bsize) / GIB;
  const text = `${freeGib.toFixed(0)} GiB free for ${folder}`;
  if (freeGib >= NEEDED_DISK_GIB) return [{ level: 'good', text }];
  return [
    { level: 'bad', text, advice: `free ${NEEDED_DISK_GIB} GiB, or set SERVERY_DATA_DIR to a larger disk` },
  ];
}

async function memory(): Promise<Finding[]> {
  const freeGib = freemem() / GIB;
  const text = `${freeGib.toFixed(1)} GiB of RAM free`;
  if (freeGib >= NEEDED_MEMORY_GIB) return [{ level: 'good', text }];
  return [{ level: 'warning', text, advice: `the demo's servers want ${NEEDED_MEMORY_GIB} GiB` }];
}

async function programs({ folder }: { folder: string }): Promise<Finding[]> {
  const pids = await Promise.all(daemons.map((name) => runningPid(folder, name)));
  const running = daemons.filter((_, index) => pids[index] !== undefined);
  if (running.length === daemons.length) return [{ level: 'good', text: `running: ${running.join(', ')}` }];
  const missing = daemons.filter((name) => !running.includes(name)).join(', ');
  return [{ level: 'warning', text: `not running: ${missing}`, advice: 'npm run up' }];
}

async function databases(): Promise<Finding[]> {
  return (await Promise.all([reachable('DATABASE_URL', 5432), reachable('REDIS_URL', 6379)])).flat();
}

async function reachable(variable: string, defaultPort: number): Promise<Finding[]> {
  const url = process.env[variable];
  if (!url) return [];
  if (!URL.canParse(url))
    return [{ level: 'bad', text: `${variable} is not a URL`, advice: 'see .env.example' }];
  const parsed = new URL(url);
  const { hostname, port } = parsed;
  const target = `${hostname}:${port || defaultPort}`;
  if (await connects(urlHost(parsed), Number(port) || defaultPort)) {
    return [{ level: 'good', text: `${variable}: ${target} answers` }];
  }
  const advice = `start it, or unset ${variable} to get a private one`;
  return [{ level: 'bad', text: `${variable}: nobody answers at ${target}`, advice }];
}

async function connects(host: string, port: number): Promise<boolean> {
  const socket = connect(port, host);
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(5000) });
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function stripe(): Promise<Finding[]> {
  if (!process.env.STRIPE_SECRET_KEY) {
    return [{ level: 'good', text: 'Stripe: the emulator stands in (STRIPE_SECRET_KEY is not set)' }];
  }
  if (process.env.STRIPE_WEBHOOK_SECRET)
    return [{ level: 'good', text: 'Stripe: a key and a webhook secret are set' }];
  const advice = "set STRIPE_WEBHOOK_SECRET to the secret of the endpoint in Stripe's dashboard";
  return [{ level: 'bad', text: 'Stripe: a key without a webhook secret', advice }];
}
