import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { DataSource } from 'typeorm';
import { CLIENTS, FREE_ADDRESSES, type Goods, HOSTS, resetFleet } from './marketplace.ts';

const run = promisify(execFile);

/**
 * The rows of one order and nothing else: no limits, no choice of a host, no locks, no search for an address. Each
 * client knows its rows beforehand, and hosts are hit at random.
 */
function script(goods: Goods): string {
  const { serverType, image, location } = goods;
  return `
\\set i :i + 1
\\set id 1000000000000 + :client_id * 1000000 + :i
\\set host random(1, ${HOSTS})
\\set address (:i * ${CLIENTS} + :client_id) % ${FREE_ADDRESSES}
\\set account 1 + :client_id * 100 + :i % 100
BEGIN;
INSERT INTO servers (id, account_id, project_id, name, domain_uuid, server_type_id, disk_gib, image_id, location_id,
                     desired, observed, labels, ssh_public_keys, credential_kind)
VALUES (:id, :account, :account, ':id', gen_random_uuid(), ${serverType.id}, ${serverType.diskGib}, ${image.id}, ${location.id},
        'running', 'initializing', '{}', ARRAY['ssh-ed25519 ${'A'.repeat(68)} bench'], 'ssh_key');
UPDATE addresses SET server_id = :id WHERE ip = inet '10.64.0.1' + :address;
INSERT INTO actions (id, project_id, server_id, saga_id, command) VALUES (:id, :account, :id, :id, 'create_server');
INSERT INTO orders (id, account_id, project_id, server_id, action_id, saga_id, hold_amount_minor, currency,
                    price_hourly_micro, price_monthly_minor)
VALUES (:id, :account, :account, :id, :id, :id, ${serverType.priceMonthlyMinor}, 'eur',
        ${serverType.priceHourlyMicro}, ${serverType.priceMonthlyMinor});
INSERT INTO sagas (id, name, params, action_id, subject_type, subject_id)
VALUES (:id, 'provision-server', '{"serverId":1}', :id, 'server', :id);
INSERT INTO reservations (server_id, host_id, vcpus, memory_mib, disk_gib)
VALUES (:id, :host, ${serverType.vcpus}, ${serverType.memoryMib}, ${serverType.diskGib});
UPDATE hosts SET used_vcpus = used_vcpus + ${serverType.vcpus},
                 used_memory_mib = used_memory_mib + ${serverType.memoryMib},
                 used_disk_gib = used_disk_gib + ${serverType.diskGib}
WHERE id = :host;
COMMIT;
`;
}

/** Runs pgbench for `seconds` with 64 clients and returns its transactions per second. */
export async function measureBareTransaction(
  dataSource: DataSource,
  databaseUrl: string,
  goods: Goods,
  seconds: number,
): Promise<number> {
  await resetFleet(dataSource, goods);
  const folder = await mkdtemp(join(tmpdir(), 'servery-bench-'));
  try {
    const file = join(folder, 'order.sql');
    await writeFile(file, script(goods));
    const args = ['--no-vacuum', `--file=${file}`, `--client=${CLIENTS}`, '--jobs=2', `--time=${seconds}`];
    const { stdout } = await run('pgbench', [...args, '--define=i=0', databaseUrl], {
      timeout: (seconds + 60) * 1000,
    });
    const rate = /^tps = ([\d.]+) \(without initial connection time\)$/m.exec(stdout)?.[1];
    const failed = /^number of failed transactions: (\d+)/m.exec(stdout)?.[1] ?? '0';
    if (rate === undefined || failed !== '0') throw new Error(`pgbench did not run as it should:\n${stdout}`);
    return Number(rate);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
