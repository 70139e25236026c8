import { open } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { DISK_FORMATS, type DiskFormat, inspectDisk } from '#libs/disk-files';
import { DomainError } from '#libs/kernel';
import { parseBytes } from '../../libs/disk-files/parse-bytes.fixture.ts';
import { ground, ovf, realDisks, tar } from '../../libs/disk-files/planted.fixture.ts';
import { mutated, randomFrom } from './mutations.ts';

/**
 * Random and mutated headers of each format against the parser: in this process, and each hundredth through the
 * sandbox. Every outcome is a result or a DomainError, and none takes longer than two seconds; else it exits 1.
 */
const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string' } },
});
const seed = Number(values.seed ?? Date.now() % 2 ** 31);
const until = Date.now() + Number(values.minutes) * 60_000;
const SANDBOX_EVERY = 100;
const SLOW_MS = 2000;

await using at = await ground();
const random = randomFrom(seed);
const seeds: { format: DiskFormat; bytes: Buffer }[] = [];
for (const [name, path] of Object.entries(await realDisks(at))) {
  await using file = await open(path);
  seeds.push({ format: name.replace(/-.*/, '') as DiskFormat, bytes: await file.readFile() });
}
const stream = seeds.find(({ format }) => format === 'vmdk')?.bytes ?? '';
seeds.push({
  format: 'ova',
  bytes: tar([
    { name: 'a.ovf', bytes: ovf('a.vmdk') },
    { name: 'a.vmdk', bytes: stream },
  ]),
});
const outcomes = new Map<string, number>();
let runs = 0;
let sandboxed = 0;
while (Date.now() < until) {
  const chosen = seeds[random(seeds.length)];
  if (!chosen) break;
  const bytes = mutated(chosen.bytes, random);
  const format = random(50) === 0 ? (DISK_FORMATS[random(DISK_FORMATS.length)] ?? 'raw') : chosen.format;
  const started = performance.now();
  const outcome = outcomeOf(() => parseBytes(bytes, format));
  const took = performance.now() - started;
  outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  if (outcome === 'crash' || took > SLOW_MS)
    await fail(bytes, `${format}: ${outcome} after ${Math.round(took)} ms`);
  if (runs++ % SANDBOX_EVERY === 0) {
    sandboxed += 1;
    const path = await at.plant('fuzzed', bytes);
    const inside = await inspectDisk(path, format).then(
      () => 'taken',
      (error: unknown) => (error instanceof DomainError ? error.code : 'crash'),
    );
    if (inside !== outcome) await fail(bytes, `${format}: ${outcome} here, ${inside} in the sandbox`);
  }
}
console.info({
  seed,
  runs,
  sandboxed,
  peakMib: Math.round(process.resourceUsage().maxRSS / 1024),
  outcomes: Object.fromEntries(outcomes),
});

function outcomeOf(parse: () => unknown): string {
  try {
    parse();
    return 'taken';
  } catch (error) {
    if (error instanceof DomainError) return error.code;
    console.error(error);
    return 'crash';
  }
}

async function fail(bytes: Buffer, what: string): Promise<never> {
  await using kept = await open(`fuzz-${seed}-${runs}.bin`, 'w');
  await kept.writeFile(bytes);
  console.error(`✖ ${what}. Its bytes: fuzz-${seed}-${runs}.bin; again with --seed ${seed}`);
  process.exit(1);
}
