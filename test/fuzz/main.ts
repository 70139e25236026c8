import { open } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { DomainError } from '#libs/kernel';
import { ground } from '../../libs/disk-files/planted.fixture.ts';
import { diskContents } from './disk-contents.ts';
import { diskHeaders } from './disk-headers.ts';
import { randomFrom } from './mutations.ts';
import type { MakeTarget } from './target.ts';

/**
 * Mutated input against what reads uploads: in this process, and now and then as it is really run. Every outcome is a
 * result or a DomainError, and none takes more than two seconds of a processor; else it exits 1 and keeps the input.
 */
const targets: Readonly<Record<string, MakeTarget>> = { headers: diskHeaders, contents: diskContents };
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string' },
    target: { type: 'string', multiple: true, default: Object.keys(targets) },
  },
});
const seed = Number(values.seed ?? Date.now() % 2 ** 31);
const SLOW_MS = 2000;
for (const name of values.target) await fuzz(name, Number(values.minutes) / values.target.length);

async function fuzz(name: string, minutes: number): Promise<void> {
  await using at = await ground();
  const random = randomFrom(seed);
  const target = await targets[name]?.(at);
  if (!target) throw new Error(`no such target: ${name}`);
  const until = Date.now() + minutes * 60_000;
  const outcomes = new Map<string, number>();
  const really = new Map<string, number>();
  let slowestMs = 0;
  let runs = 0;
  for (; Date.now() < until; runs++) {
    const { what, bytes } = target.next(random);
    const fail = (how: string) => keep(bytes, `${name}-${seed}-${runs}`, `${what}: ${how}`);
    const before = process.cpuUsage();
    const outcome = await outcomeOf(() => target.here());
    const { user, system } = process.cpuUsage(before);
    const tookMs = (user + system) / 1000;
    slowestMs = Math.max(slowestMs, tookMs);
    count(outcomes, outcome);
    if (outcome === 'crash' || tookMs > SLOW_MS) await fail(`${outcome} after ${Math.round(tookMs)} ms`);
    if (runs % target.reallyEvery !== 0) continue;
    const path = await at.plant('fuzzed', bytes);
    const end = await outcomeOf(() => target.really(path));
    count(really, end);
    if (end === 'crash' || (target.isAlike && end !== outcome)) await fail(`${outcome} here, ${end} really`);
  }
  const peakMib = Math.round(process.resourceUsage().maxRSS / 1024);
  const ends = { outcomes: Object.fromEntries(outcomes), really: Object.fromEntries(really) };
  console.info({ target: name, seed, runs, slowestMs: Math.round(slowestMs), peakMib, ...ends });
}

async function outcomeOf(work: () => unknown): Promise<string> {
  try {
    await work();
    return 'taken';
  } catch (error) {
    if (error instanceof DomainError) return error.code;
    console.error(error);
    return 'crash';
  }
}

function count(all: Map<string, number>, one: string): void {
  all.set(one, (all.get(one) ?? 0) + 1);
}

async function keep(bytes: Buffer, name: string, what: string): Promise<never> {
  await using kept = await open(`fuzz-${name}.bin`, 'w');
  await kept.writeFile(bytes);
  console.error(`✖ ${what}. Its bytes: fuzz-${name}.bin; again with --seed ${seed}`);
  process.exit(1);
}
