import type { DataSource } from 'typeorm';
import { endOfYear, type Place, type Stint, stintsOf, type Worth, worthByMonth } from './expected-usage.ts';
import type { Plan } from './plan.ts';
import type { ServerLife } from './record.ts';

interface Line {
  readonly serverId: number;
  readonly place: Place;
  readonly month: number;
  readonly from: number;
  readonly until: number;
  readonly seconds: number;
  readonly billedSeconds: number;
  readonly micro: string;
  readonly minor: string;
}

/** Every second of every server is on one line of one invoice, and is worth what its price said. @returns what differs */
export async function judgeUsage(dataSource: DataSource, plan: Plan): Promise<string[]> {
  const lines = Map.groupBy(await readLines(dataSource), ({ serverId }) => serverId);
  const differences = plan.servers.flatMap((server) =>
    judgeServer(server, lines.get(server.serverId) ?? [], plan),
  );
  const known = new Set(plan.servers.map(({ serverId }) => serverId));
  const unknown = [...lines.keys()].filter((id) => !known.has(id));
  return [...differences, ...unknown.map((id) => `server ${id} is billed and was never opened`)];
}

function judgeServer(server: ServerLife, lines: readonly Line[], plan: Plan): string[] {
  const customer = plan.customers[server.customer]?.accountId;
  const who = `customer ${customer}, server ${server.serverId} (${server.name})`;
  const stints = stintsOf(server, endOfYear(plan.size.months));
  const byPlace = Map.groupBy(lines, ({ place }) => place);
  const places = new Set([...stints.keys(), ...byPlace.keys()]);
  return [...places].flatMap((place) => {
    const had = stints.get(place) ?? [];
    const billed = byPlace.get(place) ?? [];
    return [...judgeWorth(had, billed, plan), ...judgeSeconds(had, billed)].map(
      (what) => `${who}, ${place}: ${what}`,
    );
  });
}

function judgeWorth(had: readonly Stint[], billed: readonly Line[], plan: Plan): string[] {
  const months = worthByMonth(had, plan.prices, plan.size.months);
  return months.flatMap((worth, month) => {
    const sum = sumOf(billed.filter((line) => line.month === month));
    return (Object.keys(worth) as (keyof Worth)[])
      .filter((what) => worth[what] !== sum[what])
      .map((what) => `month ${month + 1} has ${worth[what]} ${what}, and ${sum[what]} are billed`);
  });
}

function sumOf(lines: readonly Line[]): Worth {
  const sum: Worth = { seconds: 0n, billedSeconds: 0n, micro: 0n, minor: 0n };
  for (const line of lines) {
    sum.seconds += BigInt(line.seconds);
    sum.billedSeconds += BigInt(line.billedSeconds);
    sum.micro += BigInt(line.micro);
    sum.minor += BigInt(line.minor);
  }
  return sum;
}

/** No second is on two lines, none is outside of what was had; with the same sum, none is missing. */
function judgeSeconds(had: readonly Stint[], billed: readonly Line[]): string[] {
  const lines = billed.filter(({ seconds }) => seconds !== 0).sort((a, b) => a.from - b.from);
  return lines.flatMap(({ from, until, seconds }, index) => {
    const found: string[] = [];
    const next = lines[index + 1];
    if (next && next.from < until) found.push(`billed twice from ${iso(next.from)}`);
    if (until - from !== seconds)
      found.push(`a line from ${iso(from)} says ${seconds} s and is ${until - from} s long`);
    if (!had.some((stint) => stint.from <= from && until <= stint.until)) {
      found.push(`billed from ${iso(from)} until ${iso(until)}, when it was not had`);
    }
    return found;
  });
}

function iso(second: number): string {
  return new Date(second * 1000).toISOString();
}

async function readLines({ manager }: DataSource): Promise<Line[]> {
  return manager.query(
    `SELECT server_id AS "serverId", component || ' ' || slot AS place,
            (12 * extract(year FROM used_from AT TIME ZONE 'UTC')
              + extract(month FROM used_from AT TIME ZONE 'UTC'))::int - 12 * 2032 - 1 AS month,
            extract(epoch FROM used_from)::float8 AS from, extract(epoch FROM used_until)::float8 AS until, seconds,
            billed_seconds AS "billedSeconds", amount_micro::text AS micro, amount_minor::text AS minor
     FROM invoice_lines WHERE component <> 'rounding'`,
  );
}
