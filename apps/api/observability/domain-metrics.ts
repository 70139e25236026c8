import { Gauge, type Registry } from 'prom-client';
import type { DataSource } from 'typeorm';
import type { SagaQueue } from '#libs/queue';

interface CountRow {
  readonly label: string;
  readonly count: number;
}

/** Figures of the whole installation, read from PostgreSQL and Redis whenever they are scraped. */
export function registerDomainMetrics(registry: Registry, dataSource: DataSource, queue: SagaQueue): void {
  counted(registry, dataSource, {
    name: 'servery_orders',
    help: 'Orders by status',
    label: 'status',
    sql: 'SELECT status AS label, count(*) AS count FROM orders GROUP BY status',
  });
  counted(registry, dataSource, {
    name: 'servery_servers',
    help: 'Servers that are not deleted, by what was last seen of them',
    label: 'status',
    sql: 'SELECT observed AS label, count(*) AS count FROM servers WHERE deleted_at IS NULL GROUP BY observed',
  });
  counted(registry, dataSource, {
    name: 'servery_findings_open',
    help: 'Open findings of the reconciler, by kind',
    label: 'kind',
    sql: 'SELECT kind AS label, count(*) AS count FROM findings WHERE resolved_at IS NULL GROUP BY kind',
  });
  registerCapacity(registry, dataSource);
  registerTimeToReady(registry, dataSource);
  registerQueueDepth(registry, queue);
}

function counted(
  registry: Registry,
  dataSource: DataSource,
  metric: { name: string; help: string; label: string; sql: string },
): void {
  new Gauge({
    name: metric.name,
    help: metric.help,
    labelNames: [metric.label],
    registers: [registry],
    async collect() {
      const rows: CountRow[] = await dataSource.query(metric.sql);
      this.reset();
      for (const { label, count } of rows) this.set({ [metric.label]: label }, count);
    },
  });
}

interface CapacityRow {
  readonly host: string;
  readonly resource: string;
  readonly total: number;
  readonly used: number;
}

function registerCapacity(registry: Registry, dataSource: DataSource): void {
  new Gauge({
    name: 'servery_host_capacity',
    help: 'What may be promised of each host, and what of it is: vcpus, memory_mib, disk_gib',
    labelNames: ['host', 'resource', 'kind'],
    registers: [registry],
    async collect() {
      const rows: CapacityRow[] = await dataSource.query(
        `SELECT name AS host, resource, total, used FROM hosts CROSS JOIN LATERAL (VALUES
           ('vcpus', vcpus, used_vcpus), ('memory_mib', memory_mib, used_memory_mib),
           ('disk_gib', disk_gib, used_disk_gib)) AS capacity (resource, total, used)
         WHERE state <> 'lost'`,
      );
      this.reset();
      for (const { host, resource, total, used } of rows) {
        this.set({ host, resource, kind: 'total' }, total);
        this.set({ host, resource, kind: 'used' }, used);
      }
    },
  });
}

function registerTimeToReady(registry: Registry, dataSource: DataSource): void {
  new Gauge({
    name: 'servery_time_to_ready_seconds',
    help: 'Seconds from order to verified ready, of the servers made in the last day',
    labelNames: ['quantile'],
    registers: [registry],
    async collect() {
      const [row]: { p50: number | null; p95: number | null; max: number | null }[] = await dataSource.query(
        `SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS p50,
                percentile_cont(0.95) WITHIN GROUP (ORDER BY seconds) AS p95, max(seconds) AS max
         FROM (SELECT extract(epoch FROM ready_at - created_at)::float8 AS seconds FROM servers
               WHERE ready_at > now() - interval '1 day') AS recent`,
      );
      this.reset();
      const quantiles = { '0.5': row?.p50, '0.95': row?.p95, '1': row?.max };
      for (const [quantile, seconds] of Object.entries(quantiles)) {
        if (typeof seconds === 'number') this.set({ quantile }, seconds);
      }
    },
  });
}

function registerQueueDepth(registry: Registry, queue: SagaQueue): void {
  new Gauge({
    name: 'servery_queue_depth',
    help: 'Alarms in the queue, by state',
    labelNames: ['state'],
    registers: [registry],
    async collect() {
      this.reset();
      // While Redis is away, all other figures are told.
      const depth = await queue.depth().catch(() => undefined);
      for (const [state, count] of Object.entries(depth ?? {})) this.set({ state }, count);
    },
  });
}
