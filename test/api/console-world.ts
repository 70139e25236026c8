import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server as HttpServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HttpAdapterHost } from '@nestjs/core';
import { PinoLogger } from 'nestjs-pino';
import { AuditService } from '#libs/accounts';
import { ENVIRONMENT, type Environment } from '#libs/config';
import { ConsoleOpenings, ConsolePasswords } from '#libs/consoles';
import { OUR_DEVICES } from '#libs/hypervisor';
import { SimulatedFleet, SimulatedHypervisor } from '#libs/hypervisor/simulated';
import { HostsService } from '#libs/placement';
import { ConsoleGateway } from '../../apps/worker/consoles/console-gateway.ts';
import type { ConsoleLimits } from '../../apps/worker/consoles/console-limits.ts';
import { MachineConsoles } from '../../apps/worker/consoles/machine-consoles.ts';
import type { Tenant } from './marketplace.ts';
import type { TestApi } from './test-api.ts';

/** The host of a stocked marketplace. */
const HOST = 'kvm-1';
const INSTALLATION = 'here';

/** A worker's gateway beside an API, and machines of a simulated host. */
export class ConsoleWorld {
  readonly fleet: SimulatedFleet;
  private readonly folder = mkdtempSync(join(tmpdir(), 'servery-consoles-'));
  private readonly api: TestApi;
  private readonly workerPort: number;
  private worker: HttpServer | undefined;
  private gateway: ConsoleGateway | undefined;

  /** @param workerPort where the API's SERVERY_WORKER_URL says */
  constructor(api: TestApi, workerPort: number) {
    this.api = api;
    this.workerPort = workerPort;
    this.fleet = new SimulatedFleet(this.folder);
    this.fleet.addHost(HOST);
  }

  async startWorker(limits: Partial<ConsoleLimits> = {}): Promise<void> {
    const environment = this.api.get<Environment>(ENVIRONMENT);
    const { dataSource } = this.api;
    const log = new PinoLogger({ pinoHttp: { level: 'silent' } });
    const passwords = new ConsolePasswords(environment.SERVERY_SECRET_KEY);
    const hypervisor = new SimulatedHypervisor(this.fleet, INSTALLATION);
    const worker = createServer((_request, response) => response.writeHead(404).end());
    this.worker = worker;
    this.gateway = new ConsoleGateway(
      { httpAdapter: { getHttpServer: () => worker } } as unknown as HttpAdapterHost,
      new ConsoleOpenings(dataSource, passwords, new AuditService(dataSource)),
      new MachineConsoles(new HostsService(dataSource), hypervisor, log),
      environment,
      { idleSeconds: 60, openSeconds: 60, lookEverySeconds: 0.1, ...limits },
      log,
    );
    this.gateway.onApplicationBootstrap();
    worker.listen(this.workerPort, '127.0.0.1');
    await once(worker, 'listening');
  }

  /** As the worker does it that is told to stop: first it cuts, then it goes. */
  tellWorker(): void {
    this.gateway?.beforeApplicationShutdown();
  }

  async stopWorker(): Promise<void> {
    this.tellWorker();
    this.worker?.closeAllConnections();
    await new Promise((resolve) => this.worker?.close(resolve));
  }

  /** As the workflow leaves a server that it has handed over, with its machine. */
  async runningServer(
    { token }: Pick<Tenant, 'token'>,
    name: string,
  ): Promise<{ serverId: number; uuid: string }> {
    const body = { name, server_type: 's1', image: 'web' };
    const answer = await this.api.request('POST', '/v1/servers', { token, body });
    const { id } = answer.json().server;
    const [[row]] = await this.api.dataSource.query<[{ domain_uuid: string }[], number]>(
      `UPDATE servers SET ready_at = now(), observed = 'running', host_id = (SELECT id FROM hosts)
       WHERE id = $1 RETURNING domain_uuid`,
      [id],
    );
    await this.api.dataSource.query("UPDATE actions SET status = 'success' WHERE server_id = $1", [id]);
    const uuid = row?.domain_uuid ?? '';
    const domain = {
      uuid,
      name: `d-${id}`,
      vcpus: 1,
      memoryMib: 1024,
      diskVolume: 'x',
      network: 'open',
    } as const;
    this.fleet.putDomain(HOST, {
      ...{ ...domain, ...OUR_DEVICES, mac: '52:54:00:00:00:01', ipv4: '10.99.0.10' },
      ...{ owner: { serverId: id, installationId: INSTALLATION }, state: 'running', startedAtMs: 1 },
      ...{ heldVolumes: [], volumes: [] },
    });
    return { serverId: id, uuid };
  }

  async close(): Promise<void> {
    if (this.worker?.listening) await this.stopWorker();
    rmSync(this.folder, { recursive: true });
  }
}
